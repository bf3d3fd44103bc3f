from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmsign.decoding import (
    CTCBeamSearch,
    Hypothesis,
    StepClock,
    decode_outputs,
    log_probabilities,
    timed_glosses,
)
from mmsign.structures import SignDataSample, TimedGloss
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN'])
# Blank, RAIN, SUN; five steps of two frames at 12.5 frames/s.
STEPS = torch.tensor(
    [
        [0.1, 0.8, 0.1],
        [0.1, 0.6, 0.3],
        [0.9, 0.05, 0.05],
        [0.2, 0.1, 0.7],
        [0.6, 0.1, 0.3],
    ]
).log()
STARTS = np.arange(10) * 0.08
TIMES = STARTS, STARTS + 0.08


def decoded(search: CTCBeamSearch, times=TIMES, **outputs: torch.Tensor) -> dict:
    batch = {name: steps[None] for name, steps in outputs.items()}
    sample, clock = SignDataSample(), StepClock(*times, 10, 5)
    decode_outputs([sample], batch, [clock], search, VOCAB)
    assert sample.clock is clock
    return sample.predictions


def test_the_average_is_that_of_the_probabilities():
    logits = dict(video=torch.randn(2, 3, 4), joint=torch.randn(2, 3, 4).half())
    found = log_probabilities(logits | dict(lengths=torch.tensor([3, 3])))
    assert list(found) == ['video', 'joint', 'average']
    mean = (logits['video'].softmax(-1) + logits['joint'].float().softmax(-1)) / 2
    torch.testing.assert_close(found['average'], mean.log())
    # What a network returns in mode tensor has an average already.
    again = log_probabilities(logits | dict(average=mean))
    torch.testing.assert_close(again, found)


def test_glosses_have_the_times_and_the_mean_probability_of_their_steps():
    clock = StepClock(*TIMES, 10, 5)
    best = Hypothesis((1, 2), -1.0, ((0, 2), (3, 4)))
    assert timed_glosses(best, STEPS, VOCAB, clock) == (
        TimedGloss('RAIN', 0.0, 0.32, 0.7),
        TimedGloss('SUN', 0.48, 0.16, 0.7),
    )
    assert timed_glosses(Hypothesis((), 0.0, ()), STEPS, VOCAB, clock) == ()


def test_every_output_is_decoded():
    found = decoded(CTCBeamSearch(1), joint=STEPS, average=STEPS.flip(0))
    assert list(found) == ['joint', 'average']
    joint = found['joint']
    assert joint.glosses == ('RAIN', 'SUN')
    assert joint.score == pytest.approx(math.log(0.8 * 0.6 * 0.9 * 0.7 * 0.6))
    assert joint.n_best == ((('RAIN', 'SUN'), joint.score),)
    assert found['average'].glosses == ('SUN', 'RAIN')
    assert found['average'].timed[0].start == 0.16


def test_of_a_padded_clip_only_its_own_steps_are_decoded():
    source = np.arange(20, 27)
    long, short = SignDataSample(), SignDataSample()
    decode_outputs(
        [long, short],
        dict(video=torch.stack([STEPS, STEPS])),
        [StepClock.of_frames(n, 10, 5) for n in (np.arange(10), source)],
        CTCBeamSearch(1),
        VOCAB,
    )
    assert long.predictions['video'].spans == ((0, 4), (6, 8))
    # Three of five steps.
    assert short.predictions['video'].spans == ((20, 24),)
    assert torch.equal(short.log_probs['video'], STEPS[:3])


def test_the_best_sequences_are_listed_with_their_probabilities():
    best = decoded(CTCBeamSearch(100, 3), a=STEPS)['a']
    assert len(best.n_best) == 3
    total = dict.fromkeys((names for names, _ in best.n_best), 0.0)
    # Every path of the five steps.
    for path in np.ndindex(*[3] * 5):
        kept = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
        names = tuple(VOCAB.decode(kept))
        if names in total:
            each = STEPS[torch.arange(5), torch.tensor(path)]
            total[names] += float(each.sum().exp())
    scores = [score for _, score in best.n_best]
    np.testing.assert_allclose(np.exp(scores), list(total.values()), rtol=1e-5)
    assert scores == sorted(scores, reverse=True) and best.score == scores[0]
    assert best.n_best[0][0] == best.glosses
