import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmsign.decoding import (
    Calibration,
    CTCBeamSearch,
    SignCalibration,
    StepClock,
    decode_outputs,
    read_single_signs,
    sign_probabilities,
    single_sign_log_likelihoods,
)
from mmsign.errors import DataError
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND'])


def random_log_probs(*shape: int, scale: float = 3.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator) * scale).log_softmax(-1)


def brute_force(log_probs: np.ndarray, blank: int) -> np.ndarray:
    """(V,) likelihoods: every path that collapses to one gloss, or to none."""
    steps, classes = log_probs.shape
    total = np.zeros(classes)
    for path in itertools.product(range(classes), repeat=steps):
        collapsed = [symbol for symbol, _ in itertools.groupby(path) if symbol != blank]
        if len(collapsed) <= 1:
            own = sum(log_probs[t, symbol] for t, symbol in enumerate(path))
            total[collapsed[0] if collapsed else blank] += math.exp(own)
    return total


@pytest.mark.parametrize('blank', [0, 2])
def test_every_alignment_is_summed(blank):
    log_probs = random_log_probs(3, 5, 4)
    lengths = [5, 3, 1]
    found = single_sign_log_likelihoods(log_probs, lengths, blank)
    assert found.shape == (3, 4) and found.dtype == torch.float64
    for row, clip, length in zip(found, log_probs, lengths):
        expected = brute_force(clip[:length].double().numpy(), blank)
        np.testing.assert_allclose(row.exp(), expected, rtol=1e-5)


def test_a_long_clip_of_a_certain_network_agrees_with_the_loss():
    """Where sums of probabilities would vanish; of two glosses the loss knows more."""
    log_probs = random_log_probs(2, 300, 40, scale=12.0).double()
    lengths = torch.tensor([300, 211])
    found = single_sign_log_likelihoods(log_probs, lengths)
    assert (found < -800).all()  # no float holds these probabilities
    for target in (1, 17, 39):
        loss = F.ctc_loss(
            log_probs.transpose(0, 1),
            torch.full((2, 1), target),
            lengths,
            torch.tensor([1, 1]),
            reduction='none',
        )
        torch.testing.assert_close(found[:, target], -loss, rtol=1e-9, atol=1e-6)


def test_probabilities_of_zero():
    certain = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])  # blank, 1, 2
    two_signs = single_sign_log_likelihoods(certain.log()[None])
    assert torch.equal(two_signs, torch.full((1, 3), -torch.inf, dtype=torch.float64))
    one_sign = single_sign_log_likelihoods(certain.log()[None], [2])
    assert one_sign.exp().tolist() == [[0.0, 1.0, 0.0]]
    # Nothing is possible, so nothing is believed.
    (reading,) = read_single_signs(two_signs, GlossVocabulary(['A', 'B']), [2])
    assert not reading.accepted and reading.no_sign == 0


def test_a_clip_without_a_step_shows_no_sign():
    found = single_sign_log_likelihoods(random_log_probs(2, 4, 4), [0, 4])
    assert found[0].tolist() == [0.0, -math.inf, -math.inf, -math.inf]
    assert single_sign_log_likelihoods(torch.zeros(1, 0, 4))[0, 0] == 0
    (reading, _) = read_single_signs(found, VOCAB, [2, 2])
    assert reading.no_sign == 1 and reading.gloss is None


def test_what_is_no_log_probability_is_refused():
    log_probs = random_log_probs(2, 3, 4)
    log_probs[1, 2, 0] = torch.nan
    with pytest.raises(DataError, match='clip 1'):
        single_sign_log_likelihoods(log_probs)
    single_sign_log_likelihoods(log_probs, [3, 2])  # behind the end


def test_the_outcomes_exclude_each_other():
    likelihoods = single_sign_log_likelihoods(random_log_probs(4, 6, 4))
    for temperature in (0.3, 1.0, 20.0):
        found = sign_probabilities(likelihoods, temperature)
        np.testing.assert_allclose(found.sum(-1), 1)
    likely = likelihoods.exp()
    expected = likely / likely.sum(-1, keepdim=True)
    torch.testing.assert_close(sign_probabilities(likelihoods), expected)


def test_the_best_signs_are_listed():
    likelihoods = torch.tensor([[0.2, 0.1, 0.4, 0.3], [0.6, 0.1, 0.2, 0.1]]).log()
    first, second = read_single_signs(likelihoods.double(), VOCAB, [2, 9])
    assert [name for name, _ in first.n_best] == ['SUN', 'WIND']
    assert first.gloss == 'SUN' and first.n_best[0][1] == pytest.approx(0.4)
    # No more than there are; of equal ones the first; no sign is more probable.
    assert [name for name, _ in second.n_best] == ['SUN', 'RAIN', 'WIND']
    assert second.gloss is None and second.no_sign == pytest.approx(0.6)


def test_a_calibration_moves_confidence_and_threshold():
    likelihoods = torch.tensor([[0.1, 0.1, 0.6, 0.2]]).log().double()

    def read(*calibration: float):
        settings = VOCAB, [1], SignCalibration(*calibration)
        return read_single_signs(likelihoods, *settings)[0]

    assert read(1.0, 0.59).accepted and not read(1.0, 0.61).accepted
    assert read(0.5, 0.61).accepted
    assert not read(1.0, 0.0, math.log(6.1)).accepted  # no sign is the most probable
    assert read(1.0, 0.0, math.log(5.9)).no_sign == pytest.approx(0.59 / 1.49)
    hot = [read(t).n_best[0][1] for t in (1.0, 2.0, 8.0, 100.0)]
    assert hot == sorted(hot, reverse=True) and hot[-1] == pytest.approx(
        1 / 4, abs=0.01
    )


def test_a_long_clip_of_nothing_is_no_surer_than_a_short_one():
    """At every step a sign may seem to be a little: the longer, the more in sum."""
    step = torch.tensor([0.97, 0.01, 0.01, 0.01]).log().double()

    def read(steps: int, known: int):
        likelihoods = single_sign_log_likelihoods(step.expand(1, steps, 4))
        calibration = SignCalibration(0.5, 0.2, 0.0, known)
        return read_single_signs(likelihoods, VOCAB, [3], calibration, [steps])[0]

    short, long = read(15, 15), read(300, 15)
    assert not short.accepted and not long.accepted
    assert long.no_sign == pytest.approx(short.no_sign, abs=0.01)
    assert read(15, 0) == short and read(300, 0).accepted
    assert read(10, 15) == read(10, 0)  # a shorter one is as it is


def test_a_vocabulary_of_one_gloss():
    likelihoods = single_sign_log_likelihoods(random_log_probs(1, 5, 2))
    (reading,) = read_single_signs(likelihoods, GlossVocabulary(['A']), [5])
    assert [name for name, _ in reading.n_best] == ['A']
    assert reading.n_best[0][1] + reading.no_sign == pytest.approx(1)


def test_only_the_clips_for_which_it_is_asked_are_read():
    log_probs = random_log_probs(3, 6, 4)
    clocks = [StepClock.of_frames(np.arange(n), 6, 6) for n in (6, 4, 6)]
    hot = Calibration(signs=SignCalibration(5.0, 0.1))

    def read(calibrations=None) -> list:
        samples = [SignDataSample() for _ in clocks]
        outputs, search = dict(a=log_probs, b=log_probs), CTCBeamSearch(1)
        settings = clocks, search, VOCAB, calibrations, [2, 3, 0]
        decode_outputs(samples, outputs, *settings)
        return [[s.predictions[name].single_sign for name in 'ab'] for s in samples]

    plain, hotter = read(), read(dict(b=hot))
    assert plain[2] == [None, None] and plain[0][0] == plain[0][1]
    assert [len(pair[0].n_best) for pair in plain[:2]] == [2, 3]
    alone = single_sign_log_likelihoods(log_probs[1:2, :4])
    assert plain[1][0] == read_single_signs(alone, VOCAB, [3])[0]
    # Each output has its own calibration.
    assert hotter[0][0] == plain[0][0]
    assert hotter[0][1].n_best[0][1] < plain[0][1].n_best[0][1]
