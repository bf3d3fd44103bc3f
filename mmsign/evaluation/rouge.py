"""ROUGE-L: docs/method.md#metrics.

Symbols: P and R are the longest common subsequence over the length of the
hypothesis and of the reference. A sentence's score is the F measure
(1 + b^2) R P / (R + b^2 P), a corpus's the mean over its sentences.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from .tokens import check_pairs

FIELD_BETA = 1.2
"""The weight of recall that most of the field uses; the paper's is P / R."""


def corpus_rouge_l(
    references: Sequence[Sequence[Hashable]],
    hypotheses: Sequence[Sequence[Hashable]],
    beta: float | None = None,
) -> float:
    """Mean ROUGE-L in percent.

    Args:
        references: The tokens of each sentence.
        hypotheses: As many, in the same order.
        beta: As in ``rouge_l``.

    Raises:
        DataError: the numbers of sentences differ, or there are none.

    Examples:
        >>> score = corpus_rouge_l([['es', 'regnet']], [['es', 'regnet', 'heute']])
        >>> round(score, 1)
        74.3
    """
    check_pairs(references, hypotheses)
    pairs = zip(references, hypotheses)
    return 100 * sum(rouge_l(*pair, beta) for pair in pairs) / len(references)


def rouge_l(
    reference: Sequence[Hashable],
    hypothesis: Sequence[Hashable],
    beta: float | None = None,
) -> float:
    """ROUGE-L of one sentence, from 0 to 1.

    Args:
        reference: Tokens.
        hypothesis: Tokens.
        beta: Weight of recall; None takes P / R, as the paper's numbers do.

    Returns:
        The F measure; 0 without a common token; 1 if both sides are empty.

    Examples:
        >>> round(rouge_l('am tag regnet es .'.split(), 'am tag schneit .'.split()), 3)
        0.651
    """
    if not reference and not hypothesis:
        return 1.0
    common = longest_common_subsequence(reference, hypothesis)
    if not common:
        return 0.0
    precision, recall = common / len(hypothesis), common / len(reference)
    squared = (precision / recall if beta is None else beta) ** 2
    return (1 + squared) * recall * precision / (recall + squared * precision)


def longest_common_subsequence(
    first: Sequence[Hashable], second: Sequence[Hashable]
) -> int:
    """Length of the longest sequence that is left of both by leaving out tokens.

    One row of the usual table is one integer: a bit that is 0 says that the length
    grows at that place of ``first`` (Hyyro, 2004).
    """
    places: dict[Hashable, int] = {}
    for index, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << index
    everywhere = (1 << len(first)) - 1
    row = everywhere
    for token in second:
        matches = row & places.get(token, 0)
        row = (row + matches | row - matches) & everywhere
    return len(first) - row.bit_count()
