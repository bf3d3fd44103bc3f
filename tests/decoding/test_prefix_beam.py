import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.decoding import CTCBeamSearch
from tools.benchmark._reference_beam_search import reference_beam_search


def collapse(path, blank):
    return tuple(s for s, _ in itertools.groupby(path) if s != blank)


def posterior(log_probs, blank):
    """Probability of every labelling, summed over all V^T paths."""
    steps, classes = log_probs.shape
    found = {}
    for path in itertools.product(range(classes), repeat=steps):
        score = sum(log_probs[t, s] for t, s in enumerate(path))
        labelling = collapse(path, blank)
        found[labelling] = np.logaddexp(found.get(labelling, -np.inf), score)
    return {k: v for k, v in found.items() if v > -np.inf}


def draw(seed, steps, classes, sharpness=1.0):
    logits = np.random.default_rng(seed).standard_normal((steps, classes))
    logits *= sharpness
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def search(log_probs, beam_width, blank):
    decoder = CTCBeamSearch(beam_width, n_best=beam_width)
    (found,) = decoder(log_probs[None], blank=blank)
    return [(h.ids, h.score) for h in found]


@pytest.mark.parametrize('blank', [0, 1, 2])
@pytest.mark.parametrize('seed', range(4))
def test_wide_beam_gives_the_exact_posterior_of_every_labelling(seed, blank):
    log_probs = draw(seed, 5, 3)
    expected = posterior(log_probs, blank)
    found = search(log_probs, 200, blank)
    assert dict(found).keys() == expected.keys()
    for ids, score in found:
        assert score == pytest.approx(expected[ids], abs=1e-12)
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert np.logaddexp.reduce(scores) == pytest.approx(0, abs=1e-12)


@examples(300)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 12),
    classes=st.integers(1, 9),
    beam_width=st.integers(2, 6),
    blank=st.integers(0, 8),
    sharpness=st.sampled_from([0.1, 1.0, 5.0]),
    impossible=st.sampled_from([0.0, 0.0, 0.3]),
    levels=st.sampled_from([None, None, 3]),
)
def test_finds_what_the_definition_finds(
    seed, steps, classes, beam_width, blank, sharpness, impossible, levels
):
    rng = np.random.default_rng(seed)
    log_probs = draw(seed, steps, classes, sharpness)
    if levels:  # few different values: ties everywhere
        log_probs = np.log(rng.integers(1, levels + 1, log_probs.shape) / 16)
    zero = rng.random(log_probs.shape) < impossible
    zero[np.arange(steps), rng.integers(0, classes, steps)] = False
    log_probs[zero] = -np.inf
    blank %= classes
    # The same sums in the same order: equal to the last bit, ties included.
    assert search(log_probs, beam_width, blank) == reference_beam_search(
        log_probs, beam_width, blank
    )


@pytest.mark.parametrize('sharpness', [1.0, 6.0])
def test_many_classes_and_steps(sharpness):
    log_probs = draw(3, 40, 200, sharpness)
    assert search(log_probs, 5, 0) == reference_beam_search(log_probs, 5, 0)


def test_alignments_of_one_labelling_are_merged():
    # The best path is all blank (0.36), yet labelling (1,) has 0.64 in sum.
    log_probs = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))
    (best, score), (second, other) = search(log_probs, 2, 0)
    assert (best, second) == ((1,), ())
    assert math.exp(score) == pytest.approx(0.64)
    assert math.exp(other) == pytest.approx(0.36)


def test_repeated_symbol_needs_a_blank_between():
    certain = np.full((3, 2), -np.inf)
    certain[[0, 1, 2], [1, 0, 1]] = 0.0
    assert search(certain, 2, 0) == [((1, 1), 0.0)]
    certain[1] = [-np.inf, 0.0]
    assert search(certain, 2, 0) == [((1,), 0.0)]


def test_prefix_that_left_the_beam_and_returns_is_the_same_prefix():
    # Seeds whose search drops a prefix while one grown from it stays, and takes
    # it back later; merging it with its old descendants must still happen.
    for seed in range(200):
        log_probs = draw(seed, 14, 4, 2.0)
        assert search(log_probs, 3, 0) == reference_beam_search(log_probs, 3, 0)
