import random

import pytest

from mmsign.errors import DataError
from mmsign.evaluation import corpus_rouge_l, rouge_l
from mmsign.evaluation.rouge import longest_common_subsequence


def plain_length(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            longer = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else longer
    return table[-1][-1]


def test_longest_common_subsequence():
    rng = random.Random(0)
    for longest in (4, 12, 90):
        for _ in range(100):
            first, second = (
                rng.choices('abcd', k=rng.randint(0, longest)) for _ in range(2)
            )
            expected = plain_length(first, second)
            assert longest_common_subsequence(first, second) == expected


def test_by_hand():
    # Three words in common: R = 3/4, P = 3/6, so beta = 2/3.
    reference, hypothesis = 'abcd', 'axbycz'
    squared = (2 / 3) ** 2
    expected = (1 + squared) * 0.375 / (0.75 + squared * 0.5)
    assert rouge_l(reference, hypothesis) == pytest.approx(expected)
    expected = (1 + 1.44) * 0.375 / (0.75 + 1.44 * 0.5)
    assert rouge_l(reference, hypothesis, 1.2) == pytest.approx(expected)


def test_ends_of_the_scale():
    for beta in (None, 1.2):
        assert rouge_l('abc', 'abc', beta) == 1
        assert rouge_l('abc', 'xyz', beta) == 0
        assert rouge_l('abc', '', beta) == rouge_l('', 'abc', beta) == 0
        assert rouge_l('', '', beta) == 1


def test_mean_over_sentences():
    assert corpus_rouge_l(['abc', 'ab', 'a'], ['abc', 'xy', 'a']) == pytest.approx(
        200 / 3
    )


def test_sentences_without_partner():
    for references, hypotheses in ((['a'], ['a', 'b']), ([], [])):
        with pytest.raises(DataError):
            corpus_rouge_l(references, hypotheses)
