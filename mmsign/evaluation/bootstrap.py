"""Confidence intervals of word error rates, and whether two differ.

Symbols: n sentences. Sentences are the unit that is drawn: words of one sentence are
not independent of each other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmsign.errors import DataError

from .wer import WordErrors

SAMPLES = 2000
Errors = Sequence[WordErrors]


class Interval(NamedTuple):
    """A value in percent and the ends of its confidence interval."""

    value: float
    low: float
    high: float


def wer_interval(
    sentences: Errors, samples: int = SAMPLES, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile bootstrap of a corpus's word error rate.

    Args:
        sentences: The errors of each sentence.
        samples: Corpora of n sentences drawn with replacement.
        confidence: Share of them inside the interval.
        seed: Of the drawing; the same seed draws the same sentences.

    Raises:
        DataError: there is no reference word.

    Examples:
        >>> from mmsign.evaluation import sentence_errors
        >>> right = sentence_errors(['SUN', 'RAIN'], ['SUN', 'RAIN'])
        >>> wrong = sentence_errors(['SUN', 'RAIN'], ['SUN', 'HAIL'])
        >>> wer_interval([right, wrong] * 50)
        Interval(value=25.0, low=20.0, high=30.0)
    """
    errors, words = _counts(sentences)
    rng = np.random.default_rng(seed)
    rates = []
    for _ in range(samples):
        drawn = rng.integers(0, len(words), len(words))
        # A draw of sentences without any word has no rate, and is left out.
        if total := words[drawn].sum():
            rates.append(100 * errors[drawn].sum() / total)
    tail = (1 - confidence) / 2
    low, high = np.quantile(rates, [tail, 1 - tail])
    return Interval(float(100 * errors.sum() / words.sum()), float(low), float(high))


def wer_difference(first: Errors, second: Errors, **options: float) -> Interval:
    """Bootstrap of the difference second - first, in points of WER.

    Both are scored on the same drawn sentences, so that what makes a sentence hard
    for both does not blur the difference.

    Args:
        first, second: The errors of each sentence, against the same references.
        **options: ``samples``, ``confidence`` and ``seed`` as in ``wer_interval``.

    Raises:
        DataError: the references differ, or hold no word.

    Examples:
        >>> right, wrong = WordErrors(0, 0, 0, 2), WordErrors(1, 0, 0, 2)
        >>> wer_difference([right] * 50, [wrong] * 50)
        Interval(value=50.0, low=50.0, high=50.0)
    """
    return wer_interval(_differences(first, second), **options)


def randomization_test(first: Errors, second: Errors) -> float:
    """Two-sided p-value of the paired randomisation test, exact.

    If the two runs were alike, each sentence's pair of results could as well be
    swapped. The p-value is the share of all 2^n ways to swap whose difference of
    WER is at least as large as the one found. Since errors are whole numbers, the
    distribution over all ways is computed, not sampled.

    Args:
        first, second: The errors of each sentence, against the same references.

    Raises:
        DataError: the references differ, or hold no word.

    Examples:
        >>> right, wrong = WordErrors(0, 0, 0, 2), WordErrors(1, 0, 0, 2)
        >>> randomization_test([right] * 5, [wrong] * 5)  # 2 of 2^5 ways
        0.0625
    """
    difference, _ = _counts(_differences(first, second))
    steps = np.abs(difference[difference != 0])
    reach = int(steps.sum())
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1
    for step in map(int, steps):
        chances = (np.roll(chances, step) + np.roll(chances, -step)) / 2
    sums = np.abs(np.arange(-reach, reach + 1))
    return min(1.0, float(chances[sums >= abs(difference.sum())].sum()))


def _counts(sentences: Errors) -> tuple[np.ndarray, np.ndarray]:
    """Errors and reference words, (n,) int64 each."""
    counts = [(s.errors, s.reference_words) for s in sentences]
    errors, words = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    if not words.sum():
        raise DataError('there is no reference word, so there is no word error rate')
    return errors, words


def _differences(first: Errors, second: Errors) -> list[WordErrors]:
    """Of each sentence the errors that the second makes more, below 0 if fewer."""
    errors, words = _counts(first)
    other_errors, other_words = _counts(second)
    if not np.array_equal(words, other_words):
        raise DataError(
            f'the runs differ in their references: {len(words)} and {len(other_words)} '
            f'sentences, {words.sum()} and {other_words.sum()} words'
        )
    pairs = zip(other_errors - errors, words)
    return [WordErrors(more, reference_words=count) for more, count in pairs]
