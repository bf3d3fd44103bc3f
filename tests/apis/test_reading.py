from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmsign.apis.reading import hypothesis_glosses, read_outputs, step_times
from mmsign.apis.records import RecognizedGloss
from mmsign.decoding import CTCBeamSearch, Hypothesis
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN'])
# Blank, RAIN, SUN; five steps.
STEPS = torch.tensor(
    [
        [0.1, 0.8, 0.1],
        [0.1, 0.6, 0.3],
        [0.9, 0.05, 0.05],
        [0.2, 0.1, 0.7],
        [0.6, 0.1, 0.3],
    ]
).log()
STARTS, ENDS = np.arange(5) * 0.16, np.arange(1, 6) * 0.16


def test_glosses_have_the_times_and_the_mean_probability_of_their_steps():
    best = Hypothesis((1, 2), -1.0, ((0, 2), (3, 4)))
    assert hypothesis_glosses(best, STEPS, VOCAB, STARTS, ENDS) == (
        RecognizedGloss('RAIN', 0.0, 0.32, 0.7),
        RecognizedGloss('SUN', 0.48, 0.64, 0.7),
    )
    assert hypothesis_glosses(Hypothesis((), 0.0, ()), STEPS, VOCAB, [], []) == ()


def test_every_output_is_read():
    other = STEPS.flip(0)
    found = read_outputs(
        dict(joint=STEPS, average=other), CTCBeamSearch(1), VOCAB, STARTS, ENDS
    )
    assert list(found) == ['joint', 'average']
    joint = found['joint']
    assert [gloss.gloss for gloss in joint.glosses] == ['RAIN', 'SUN']
    assert joint.score == pytest.approx(math.log(0.8 * 0.6 * 0.9 * 0.7 * 0.6))
    assert joint.n_best == ((('RAIN', 'SUN'), joint.score),)
    assert [g.gloss for g in found['average'].glosses] == ['SUN', 'RAIN']
    assert found['average'].glosses[0].start == 0.16


def test_the_best_sequences_are_listed_with_their_probabilities():
    search = CTCBeamSearch(100, 3)
    (reading,) = read_outputs(dict(a=STEPS), search, VOCAB, STARTS, ENDS).values()
    assert len(reading.n_best) == 3
    total = dict.fromkeys((names for names, _ in reading.n_best), 0.0)
    # Every path of the five steps.
    for path in np.ndindex(*[3] * 5):
        kept = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
        names = tuple(VOCAB.decode(kept))
        if names in total:
            each = STEPS[torch.arange(5), torch.tensor(path)]
            total[names] += float(each.sum().exp())
    scores = [score for _, score in reading.n_best]
    np.testing.assert_allclose(np.exp(scores), list(total.values()), rtol=1e-5)
    assert scores == sorted(scores, reverse=True) and reading.score == scores[0]
    assert reading.n_best[0][0] == tuple(gloss.gloss for gloss in reading.glosses)


@pytest.mark.parametrize('stride', [1, 2, 4, 2.5, 0.5])
def test_a_step_begins_and_ends_with_its_frames(stride):
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 22))
    steps = int(22 // stride)
    starts, ends = step_times(times, 0.04, steps, stride)
    for step in range(steps):
        # The frames that touch [step, step + 1) · stride.
        first, end = step * stride, (step + 1) * stride
        frames = [n for n in range(22) if n < end and n + 1 > first]
        assert starts[step] == times[frames[0]]
        assert ends[step] == times[frames[-1]] + 0.04


def test_steps_behind_the_last_frame_end_with_it():
    starts, ends = step_times(np.array([0.0, 0.1, 0.2]), 0.1, 2, 2)
    np.testing.assert_allclose(starts, [0, 0.2])
    np.testing.assert_allclose(ends, [0.2, 0.3])
    starts, ends = step_times(np.array([0.5]), 0.1, 2, 4)
    np.testing.assert_allclose([starts, ends], [[0.5, 0.5], [0.6, 0.6]])
