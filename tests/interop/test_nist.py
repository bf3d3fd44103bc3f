import os
from pathlib import Path

import pytest
from fuzzing import FUZZ
from hypothesis import example, given
from hypothesis import strategies as st

from mmsign.errors import DataError
from mmsign.interop.nist import (
    TO_THE_END,
    StmSegment,
    export_predictions,
    read_ctm,
    read_stm,
    write_ctm,
    write_stm,
)
from mmsign.timing import TimedGloss


def test_ctm_is_read(tmp_path):
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
            TimedGloss('ZWEI', 2, 0.5),
            TimedGloss('NOCH', 2, 0.25),
            TimedGloss('DREI', 10, 0.5, 0.9),
        ],
        'a': [],
        'c': [],
    }


def test_times_sort_as_text_and_empty_clips_stay(tmp_path):
    path = tmp_path / 'x.ctm'
    clips = {
        'b': [TimedGloss('ROT', 2, 0.5), TimedGloss('GRÜN', 10.04, 0.5, 0.25)],
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


def test_stm_is_read(tmp_path):
    path = tmp_path / 'x.stm'
    path.write_text(
        ';; a comment\n'
        'b 1 signer05 0.0 1.79769e+308 ROT BLAU\n'
        'a 1 s1 1.5 2.5 <o,f0> GELB \n'
        '\n'
        'c 1 s1 0.0 inf\n'
    )
    assert read_stm(path) == {
        'b': StmSegment(('ROT', 'BLAU'), 'signer05', 0.0, TO_THE_END),
        'a': StmSegment(('GELB',), 's1', 1.5, 2.5),
        'c': StmSegment((), 's1', 0.0, float('inf')),
    }


def test_stm_as_the_corpus_writes_it(tmp_path):
    path = tmp_path / 'x.stm'
    clips = {'b': StmSegment(('GRÜN',), 's2'), 'a': StmSegment((), 's1', 0.25, 1.125)}
    write_stm(path, clips)
    assert path.read_text(encoding='utf-8').splitlines() == [
        'a 1 s1 0.25 1.125',
        'b 1 s2 0.0 1.79769e+308 GRÜN',
    ]
    assert read_stm(path) == clips


SPECIAL = ('<GLOSS>', '[EMPTY]', '{', '}', '/', '@', ';;', ';;A', '(A)', '\ufeffA')
GLOSS = st.one_of(
    st.sampled_from([*SPECIAL, 'IGNORE_TIME_SEGMENT_IN_SCORING']),
    st.sampled_from(SPECIAL).map('\\{}'.format),
    st.text('<>{}[];\\(AÄ\u200d', min_size=1),
    st.text(st.characters(codec='utf-8'), min_size=1),
).filter(lambda gloss: gloss.split() == [gloss])


def record(clip: str, signer: str, glosses: list[str]) -> dict:
    spans = [[10 * i, 10 * i + 5] for i in range(len(glosses))]
    hypothesis = dict(glosses=glosses, spans=spans)
    hypotheses = dict(average=hypothesis, video=dict(glosses=[], spans=[]))
    return dict(clip_id=clip, signer=signer, reference=glosses, hypotheses=hypotheses)


@FUZZ
@given(st.dictionaries(GLOSS, st.tuples(GLOSS, st.lists(GLOSS)), min_size=1))
@example({'a': ('Anna B', ['<GLOSS>', '[EMPTY]', 'C', '{', '\\<GLOSS>', '\\A'])})
@example({';;a': ('<s>', [';;'])})
@example({'\ufeffa': ('\ufeff', ['\ufeff'])})
def test_whatever_a_corpus_can_hold_comes_back(tmp_path_factory, clips):
    folder = tmp_path_factory.getbasetemp()
    records = [record(clip, *value) for clip, value in clips.items()]
    for suffix, output in (('stm', ''), ('ctm', 'average'), ('CTM', 'video')):
        export_predictions(records, folder / f'x.{suffix}', output)
    references, found = read_stm(folder / 'x.stm'), read_ctm(folder / 'x.ctm')
    assert set(references) == set(found) == set(clips)
    for clip, (signer, glosses) in clips.items():
        segment = StmSegment(tuple(glosses), signer.replace(' ', '_'))
        assert references[clip] == segment
        assert [word.symbol for word in found[clip]] == glosses
    assert read_ctm(folder / 'x.CTM') == {clip: [] for clip in clips}


def test_export(tmp_path):
    path = tmp_path / 'x.ctm'
    export_predictions([record('b', 's1', ['ROT', 'BLAU'])], path, fps=50)
    assert path.read_text().splitlines() == [
        'b 1 00000.000 0.100 ROT',
        'b 1 00000.200 0.100 BLAU',
    ]
    export_predictions([record('b', None, ['ROT'])], tmp_path / 'x.STM')
    expected = 'b 1 unknown 0.0 1.79769e+308 ROT\n'
    assert (tmp_path / 'x.STM').read_text() == expected
    for name, output, named in (
        ('x.ctm', 'joint', 'average, video'),
        ('x.txt', 'average', 'x.txt'),
    ):
        with pytest.raises(DataError, match=named):
            export_predictions([record('b', 's', [])], tmp_path / name, output)
    with pytest.raises(DataError, match='sentences'):
        export_predictions([dict(reference='ein satz')], path)


@pytest.mark.parametrize(
    'line', ['a 1 0.0', 'a 1 x 0.1 ROT', 'a 1 0 inf ROT', 'a 1 0 0 ROT 0.5 x']
)
def test_lines_that_are_no_ctm(tmp_path, line):
    (tmp_path / 'x.ctm').write_text(f'a 1 0 1 ROT\n{line}\n')
    with pytest.raises(DataError, match=r'x\.ctm, line 2'):
        read_ctm(tmp_path / 'x.ctm')


@pytest.mark.parametrize(
    'line',
    [
        'b 1 s1 0.0',
        'b 1 s1 zero 1.0 ROT',
        'b 1 s1 2.0 1.0 ROT',
        'a 1 s1 1.0 2.0 ROT',
        'b 1 s1 0.0 1.0 { ROT / BLAU }',
    ],
)
def test_lines_that_are_no_stm(tmp_path, line):
    (tmp_path / 'x.stm').write_text(f'a 1 s1 0.0 1.0 ROT\n{line}\n')
    with pytest.raises(DataError, match=r'x\.stm, line 2'):
        read_stm(tmp_path / 'x.stm')


@pytest.mark.parametrize('bad', ['', 'A B', 'A\u00a0B', 'A\u2028', '\ud800'])
def test_what_the_formats_cannot_hold(tmp_path, bad):
    path = tmp_path / 'x.txt'
    for write, clips in (
        (write_ctm, {bad: []}),
        (write_ctm, {'a': [TimedGloss(bad, 0, 1)]}),
        (write_stm, {bad: StmSegment((), 's')}),
        (write_stm, {'a': StmSegment((bad,), 's')}),
        (write_stm, {'a': StmSegment((), bad)}),
    ):
        with pytest.raises(DataError):
            write(path, clips)
    assert not list(tmp_path.iterdir())


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
