import itertools

import numpy as np
import pytest

from mmsign.errors import DataError
from mmsign.evaluation import WordErrors
from mmsign.evaluation.bootstrap import randomization_test, wer_difference, wer_interval


def sentence(errors, words):
    return WordErrors(substitutions=errors, reference_words=words, sentences=1)


def corpus(seed, count, most=9):
    rng = np.random.default_rng(seed)
    words = rng.integers(1, most + 1, count)
    return [sentence(int(rng.integers(0, n + 1)), int(n)) for n in words]


def test_no_spread_no_interval():
    assert wer_interval([sentence(1, 4)] * 9) == (25.0, 25.0, 25.0)
    assert wer_difference([sentence(1, 4)] * 9, [sentence(3, 4)] * 9) == (50, 50, 50)


def test_two_sentences_by_hand():
    # Both right 1/4, one wrong 1/2, both wrong 1/4: of 1000 draws the middle half
    # reaches from 0 or 50 to 50 or 100, and the middle 40 % are 50.
    sentences = [sentence(0, 1), sentence(1, 1)]
    assert wer_interval(sentences, 1000, confidence=0.4) == (50.0, 50.0, 50.0)
    assert wer_interval(sentences, 1000, confidence=0.9) == (50.0, 0.0, 100.0)


def test_interval_is_that_of_the_drawn_corpora():
    sentences = corpus(0, 30)
    rng = np.random.default_rng(5)
    rates = []
    for size in (250, 250, 100):
        for draw in rng.integers(0, 30, (size, 30)):
            drawn = [sentences[i] for i in draw]
            rates.append(
                100 * sum(s.errors for s in drawn)
                / sum(s.reference_words for s in drawn)
            )  # fmt: skip
    found = wer_interval(sentences, samples=600, confidence=0.9, seed=5)
    assert found.low == pytest.approx(np.quantile(rates, 0.05))
    assert found.high == pytest.approx(np.quantile(rates, 0.95))
    assert found.value == pytest.approx(sum(sentences, WordErrors()).wer)


def test_agrees_with_the_normal_distribution():
    # 400 sentences of one word, a quarter wrong: standard error 100*sqrt(.25*.75/400).
    sentences = [sentence(int(i % 4 == 0), 1) for i in range(400)]
    value, low, high = wer_interval(sentences, 4000)
    assert value == 25
    assert low == pytest.approx(25 - 1.96 * 2.165, abs=0.4)
    assert high == pytest.approx(25 + 1.96 * 2.165, abs=0.4)


def test_pairs_are_drawn_together():
    first = corpus(1, 40)
    second = [sentence(s.errors + 1, s.reference_words) for s in first]
    alone = wer_interval(first)
    paired = wer_difference(first, second)
    assert paired.value == pytest.approx(
        100 * 40 / sum(s.reference_words for s in first)
    )
    assert paired.high - paired.low < (alone.high - alone.low) / 2
    turned = wer_difference(second, first)
    assert turned == pytest.approx((-paired.value, -paired.high, -paired.low))


def brute_force(first, second):
    steps = [b.errors - a.errors for a, b in zip(first, second)]
    found = [
        abs(sum(sign * step for sign, step in zip(signs, steps))) >= abs(sum(steps))
        for signs in itertools.product((1, -1), repeat=len(steps))
    ]
    return sum(found) / len(found)


@pytest.mark.parametrize('seed', range(8))
def test_p_value_is_that_of_all_swaps(seed):
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 9, 10)
    first, second = (
        [sentence(int(rng.integers(0, n + 1)), int(n)) for n in words] for _ in range(2)
    )
    expected = brute_force(first, second)
    assert randomization_test(first, second) == pytest.approx(expected, abs=1e-12)
    assert randomization_test(second, first) == pytest.approx(expected, abs=1e-12)


def test_p_values_at_both_ends():
    first = corpus(3, 20)
    assert randomization_test(first, first) == 1
    second = [sentence(s.errors + 1, s.reference_words) for s in first]
    assert randomization_test(first, second) == pytest.approx(2**-19)


def test_a_large_corpus_keeps_its_precision():
    first = [sentence(0, 9)] * 2000
    second = [sentence(9 * (i % 2), 9) for i in range(2000)]
    assert randomization_test(first, second) < 1e-290
    even = [sentence(i % 2, 9) for i in range(2000)]
    odd = [sentence(1 - i % 2, 9) for i in range(2000)]
    assert randomization_test(even, odd) == pytest.approx(1)


def test_other_references_or_none():
    with pytest.raises(DataError):
        wer_interval([sentence(1, 0)])
    for test in (wer_difference, randomization_test):
        with pytest.raises(DataError):
            test([sentence(0, 4)], [sentence(0, 2)] * 2)


def test_draws_without_a_word_are_left_out():
    found = wer_interval([sentence(0, 0), sentence(1, 2)])
    assert found == (50.0, 50.0, 50.0)
