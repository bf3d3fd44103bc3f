import os
from pathlib import Path

import pytest

from mmsign.errors import DataError
from mmsign.interop.stm import TO_THE_END, StmSegment, read_stm, write_stm


def test_reading(tmp_path):
    path = tmp_path / 'x.stm'
    path.write_text(
        ';; a comment\n'
        'b 1 signer05 0.0 1.79769e+308 ROT BLAU\n'
        'a 1 s1 1.5 2.5 <o,f0> GELB \n'
        '\n'
        'c 1 s1 0.0 1.0\n'
    )
    assert read_stm(path) == {
        'b': StmSegment(('ROT', 'BLAU'), 'signer05', 0.0, TO_THE_END),
        'a': StmSegment(('GELB',), 's1', 1.5, 2.5),
        'c': StmSegment((), 's1', 0.0, 1.0),
    }


def test_written_as_the_corpus_writes_it(tmp_path):
    path = tmp_path / 'x.stm'
    clips = {'b': StmSegment(('GRÜN',), 's2'), 'a': StmSegment((), 's1')}
    write_stm(path, clips)
    assert path.read_text(encoding='utf-8').splitlines() == [
        'a 1 s1 0.0 1.79769e+308',
        'b 1 s2 0.0 1.79769e+308 GRÜN',
    ]
    assert read_stm(path) == clips


@pytest.mark.parametrize(
    'line, message',
    [
        ('b 1 s1 0.0', 'line 2 is none of an STM file'),
        ('b 1 s1 zero 1.0 ROT', 'line 2 is none of an STM file'),
        ('b 1 s1 2.0 1.0 ROT', 'line 2 is none of an STM file'),
        ('a 1 s1 1.0 2.0 ROT', "line 2: clip 'a' comes a second time"),
        ('b 1 s1 0.0 1.0 { ROT / BLAU }', 'line 2: { is not supported'),
    ],
)
def test_faults(tmp_path, line, message):
    path = tmp_path / 'x.stm'
    path.write_text(f'a 1 s1 0.0 1.0 ROT\n{line}\n')
    with pytest.raises(DataError, match=message):
        read_stm(path)


def test_what_the_format_cannot_hold(tmp_path):
    for segment in (StmSegment(('A B',), 's'), StmSegment((), 's 1')):
        with pytest.raises(ValueError, match='white space'):
            write_stm(tmp_path / 'x.stm', {'a': segment})


@pytest.mark.skipif(
    'MMSIGN_PHOENIX2014_STM' not in os.environ,
    reason='needs MMSIGN_PHOENIX2014_STM, a ground truth that the corpus ships',
)
def test_the_real_ground_truth(tmp_path):
    path = Path(os.environ['MMSIGN_PHOENIX2014_STM'])
    clips = read_stm(path)
    write_stm(tmp_path / 'x.stm', clips)
    written = (tmp_path / 'x.stm').read_text().splitlines()
    assert written == sorted(line.rstrip() for line in path.read_text().splitlines())
