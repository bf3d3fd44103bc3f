import itertools

import numpy as np
import pytest

from mmsign.decoding import align_labellings
from mmsign.errors import DataError


def spans_of(path, blank):
    spans, step = [], 0
    for symbol, run in itertools.groupby(path):
        length = len(list(run))
        if symbol != blank:
            spans.append((step, step + length))
        step += length
    return tuple(spans)


def best_spans(log_probs, labelling, blank):
    """Spans on the best of all V^T paths that collapse to the labelling."""
    steps, classes = log_probs.shape
    best, best_score = None, -np.inf
    for path in itertools.product(range(classes), repeat=steps):
        spelled = tuple(s for s, _ in itertools.groupby(path) if s != blank)
        score = sum(log_probs[t, s] for t, s in enumerate(path))
        if spelled == labelling and score > best_score:
            best, best_score = path, score
    return None if best is None else spans_of(best, blank)


@pytest.mark.parametrize('blank', [0, 2])
@pytest.mark.parametrize('seed', range(3))
def test_agrees_with_all_paths(seed, blank):
    log_probs = np.random.default_rng(seed).normal(-2, 1.5, (6, 3))
    symbols = [s for s in range(3) if s != blank]
    labellings = [
        labelling
        for length in range(5)
        for labelling in itertools.product(symbols, repeat=length)
        if length + sum(a == b for a, b in itertools.pairwise(labelling)) <= 6
    ]
    found = align_labellings([log_probs] * len(labellings), labellings, blank)
    for labelling, spans in zip(labellings, found):
        assert spans == best_spans(log_probs, labelling, blank), labelling


def test_labellings_of_different_clips_and_lengths_do_not_mix():
    rng = np.random.default_rng(0)
    clips = [rng.normal(-2, 1, (steps, 5)) for steps in (7, 1, 12, 4, 0)]
    labellings = [(1, 1, 2), (4,), (3, 2, 1, 4), (), ()]
    together = align_labellings(clips, labellings)
    apart = [align_labellings([c], [x])[0] for c, x in zip(clips, labellings)]
    assert together == apart
    assert together[3:] == [(), ()]
    assert align_labellings([], []) == []


def test_equal_paths_are_told_apart_by_rule():
    flat = np.zeros((5, 3))
    # Followed back from the end, the path stays where it is as long as it can.
    assert align_labellings([flat], [(1, 2)]) == [((0, 1), (1, 5))]
    assert align_labellings([flat], [(1, 1)]) == [((0, 1), (2, 5))]


@pytest.mark.parametrize(
    'labelling, steps', [((1, 1), 2), ((1, 2, 1), 2), ((1,), 0), ((2,), 3)]
)
def test_labelling_that_cannot_be_spelled(labelling, steps):
    log_probs = np.zeros((steps, 3))
    log_probs[:, 2] = -np.inf
    with pytest.raises(DataError, match='labelling 1'):
        align_labellings([np.zeros((2, 3)), log_probs], [(1,), labelling])
