import pytest

from mmsign.errors import DataError
from mmsign.interop.ctm import CtmWord, read_ctm, write_ctm


def test_reading(tmp_path):
    path = tmp_path / 'x.ctm'
    path.write_text(
        ';; a comment\n'
        'b 1 10.00 0.50 DREI 0.9\n'
        'a A 0 0 [EMPTY]\n'
        'b 1 2.00 0.50 ZWEI\n'
        'b 1 2.00 0.25 NOCH\n'
        '\n'
        'c 1 0.00 0.00\n'
    )
    assert read_ctm(path) == {
        'b': [
            CtmWord('ZWEI', 2, 0.5),
            CtmWord('NOCH', 2, 0.25),
            CtmWord('DREI', 10, 0.5, 0.9),
        ],
        'a': [],
        'c': [],
    }


def test_times_sort_as_text_and_empty_clips_stay(tmp_path):
    path = tmp_path / 'x.ctm'
    clips = {
        'b': [CtmWord('ROT', 2, 0.5), CtmWord('GRÜN', 10.04, 0.5, 0.25)],
        'a': [],
    }
    write_ctm(path, clips)
    lines = path.read_text(encoding='utf-8').splitlines()
    assert lines == [
        'a 1 00000.000 0.000 [EMPTY]',
        'b 1 00002.000 0.500 ROT',
        'b 1 00010.040 0.500 GRÜN 0.2500',
    ]
    assert sorted(lines) == lines
    assert read_ctm(path) == clips


@pytest.mark.parametrize(
    'line', ['a 1 0.0', 'a 1 x 0.1 ROT', 'a 1 0 inf ROT', 'a 1 0 0 ROT 0.5 x']
)
def test_lines_of_another_format(tmp_path, line):
    (tmp_path / 'x.ctm').write_text(f'a 1 0 1 ROT\n{line}\n')
    with pytest.raises(DataError, match='line 2 is none of a CTM file'):
        read_ctm(tmp_path / 'x.ctm')


@pytest.mark.parametrize('clip, word', [('a b', 'ROT'), ('a', 'ROT BLAU'), ('a', '')])
def test_what_the_format_cannot_hold(tmp_path, clip, word):
    with pytest.raises(ValueError, match='cannot be a .*white space'):
        write_ctm(tmp_path / 'x.ctm', {clip: [CtmWord(word, 0, 1)]})
    assert not list(tmp_path.iterdir())
