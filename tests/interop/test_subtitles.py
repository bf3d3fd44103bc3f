import random

import pytest

from mmsign.errors import DataError
from mmsign.interop.subtitles import read_subtitles, sentences_of, write_subtitles
from mmsign.timing import TimedGloss

SRT = (
    '\ufeff1\r\n00:00:01,000 --> 00:00:02,5\r\n<i>Es</i> {\\an8}regnet\r\n- stark.\r\n'
    '\r\n2\n01:00:00,001 --> 01:00:00,250 X1:40\n3 < 4\n\n3\n00:00:9,0 --> 00:00:9,9\n'
)
VTT = (
    'WEBVTT - Titel\nX: y\n\nNOTE\nkein 00:00:01.000 --> Text\n\nSTYLE\n::cue {}\n\n'
    'Name\n00:01.000 --> 00:02.500 align:start\n<v Ann>Es <00:01.5>regnet &amp; <c.a>'
    'stürmt</c>\n\n100:00:00.000 --> 100:00:01.000\nspät\n'
)


def read(path, text):
    path.write_bytes(text.encode())
    return [(one.symbol, one.start, one.end) for one in read_subtitles(path)]


def test_subrip(tmp_path):
    texts = read(tmp_path / 'a.SRT', SRT)
    assert texts[0] == ('Es regnet - stark.', 1.0, 2.5)
    assert texts[1:] == [('3 < 4', 3600.001, 3600.25)]


def test_webvtt(tmp_path):
    texts = read(tmp_path / 'a.vtt', VTT)
    assert texts[0] == ('Es regnet & stürmt', 1.0, 2.5)
    assert texts[1:] == [('spät', 360000.0, 360001.0)]


@pytest.mark.parametrize('kind', ['srt', 'vtt'])
def test_a_round_trip_loses_nothing(tmp_path, kind):
    generator = random.Random(1)
    starts = sorted(generator.sample(range(10_000_000), 50))
    words = ['ÜBER', '3 < 4 & 5', 'NOTE', 'a -> b', '今天']
    texts = [
        TimedGloss(generator.choice(words), ms / 1000, generator.randrange(9999) / 1000)
        for ms in starts
    ]
    write_subtitles(tmp_path / f'a.{kind}', texts)
    assert read_subtitles(tmp_path / f'a.{kind}') == texts
    write_subtitles(tmp_path / f'b.{kind}', [])
    assert 'WEBVTT' in (tmp_path / f'b.{kind}').read_text() or kind == 'srt'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('1\n00:00:01,000 -> 00:00:02,000\nA\n', 'no subtitles'),
        ('1\n00:00:01,000 --> bald\nA\n', 'line 2.*bald'),
        ('1\n00:00:03,000 --> 00:00:02,000\nA\n', 'line 2.*before it begins'),
        ('1\n00:00:01,0 --> 00:00:02,0\nA\n00:00:03,0 --> 00:00:04,0\n', 'line 4'),
        ('', 'no subtitles'),
    ],
)
def test_broken_files(tmp_path, text, message):
    with pytest.raises(DataError, match=rf'a\.srt(.|\n)*{message}'):
        read(tmp_path / 'a.srt', text)


def test_another_encoding(tmp_path):
    (tmp_path / 'a.srt').write_bytes('1\n00:00:01,0 --> 00:00:02,0\nü'.encode('cp1252'))
    with pytest.raises(DataError, match='line 3'):
        read_subtitles(tmp_path / 'a.srt')


def test_sentences_over_several_subtitles():
    texts = [
        TimedGloss('Heute', 0.0, 1.0),
        TimedGloss('regnet es.', 1.0, 1.0),
        TimedGloss('„Ja!“', 2.0, 1.0),
        TimedGloss('Und', 3.0, 1.0),
        TimedGloss('morgen', 5.0, 1.0),
    ]
    found = [(one.symbol, one.start, one.end) for one in sentences_of(texts, 1.0)]
    assert found == [
        ('Heute regnet es.', 0.0, 2.0),
        ('„Ja!“', 2.0, 3.0),
        ('Und', 3.0, 4.0),
        ('morgen', 5.0, 6.0),
    ]
