from mmsign.apis.records import ClipResult, OutputResult
from mmsign.apis.transcripts import write_transcript
from mmsign.interop.elan import read_elan
from mmsign.interop.subtitles import read_subtitles
from mmsign.timing import TimedGloss

GLOSSES = (TimedGloss('SONNE', 0.48, 0.32, 0.9), TimedGloss('WÄRME', 0.76, 0.4, 0.5))


def result(**others) -> ClipResult:
    output = OutputResult(GLOSSES)
    translations = dict(video='Es ist warm.', ensemble='Die Sonne wärmt.')
    given = dict(
        clip='rec.mp4',
        sentence='Die Sonne wärmt.',
        translations=translations,
        outputs=dict(video=output, average=output),
        duration=1.5,
    )
    return ClipResult(**given | others)


def test_sentences_for_elan(tmp_path):
    write_transcript(tmp_path / 'rec.eaf', result())
    tiers = read_elan(tmp_path / 'rec.eaf').tiers
    assert [(one.symbol, one.start, one.end) for one in tiers['TEXT'].annotations] == [
        ('Die Sonne wärmt.', 0.0, 1.5)
    ]
    assert tiers['TEXT video'].annotations[0].symbol == 'Es ist warm.'
    # Of two that overlap by a frame the former ends early.
    times = [(one.start, one.end) for one in tiers['GLOSS'].annotations]
    assert times == [(0.48, 0.76), (0.76, 1.16)]


def test_nobody_to_be_seen(tmp_path):
    nothing = ClipResult('rec.mp4', duration=1.5)
    for kind in ('eaf', 'srt', 'vtt'):
        write_transcript(tmp_path / f'rec.{kind}', nothing)
        assert (tmp_path / f'rec.{kind}').exists()
    # A tier to annotate in all the same.
    assert read_elan(tmp_path / 'rec.eaf').tiers['GLOSS'].annotations == ()


def test_no_video_is_linked_where_there_is_none(tmp_path):
    for clip in ('frames/rec', 'frames.zip@rec', 'clip-0'):
        write_transcript(tmp_path / 'rec.eaf', result(clip=clip))
        assert read_elan(tmp_path / 'rec.eaf').media == ()


def test_sentences_as_subtitles(tmp_path):
    for kind in ('srt', 'VTT'):
        path = tmp_path / f'rec.{kind}'
        write_transcript(path, result())
        assert read_subtitles(path) == [TimedGloss('Die Sonne wärmt.', 0.0, 1.5)]
        write_transcript(path, result(sentence=''))
        assert 'wärmt' not in path.read_text(encoding='utf-8')
        named = tmp_path / f'rec.glosses.{kind}'
        for other, given in ((named, result()), (path, result(sentence=None))):
            write_transcript(other, given)
            texts = [one.symbol for one in read_subtitles(other)]
            assert texts == ['SONNE', 'WÄRME']
