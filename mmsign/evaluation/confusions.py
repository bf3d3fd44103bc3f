"""Confusions: which words are taken for which, over a corpus of alignments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .wer import Pair


class Confusions(NamedTuple):
    """Counts of errors by word.

    Attributes:
        substitutions: By (reference word, hypothesis word).
        deletions: By reference word.
        insertions: By hypothesis word.
    """

    substitutions: Counter
    deletions: Counter
    insertions: Counter


def count_confusions(alignments: Iterable[Sequence[Pair]]) -> Confusions:
    """Count the errors of alignments as ``align_words`` gives them.

    Examples:
        >>> from mmsign.evaluation import align_words
        >>> pairs = align_words(['SUN', 'RAIN'], ['SUN', 'HAIL'])
        >>> count_confusions([pairs, pairs]).substitutions
        Counter({('RAIN', 'HAIL'): 2})
    """
    words = (pair for pairs in alignments for pair in pairs)
    errors = Counter(pair for pair in words if pair[0] != pair[1]).items()
    return Confusions(
        Counter({pair: count for pair, count in errors if None not in pair}),
        Counter({word: count for (word, found), count in errors if found is None}),
        Counter({found: count for (word, found), count in errors if word is None}),
    )


def most_common(counts: Counter, limit: int) -> list[tuple]:
    """``(key, count)`` of the ``limit`` largest, equal counts in order of the keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
