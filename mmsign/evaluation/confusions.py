"""Confusions: which words are taken for which, over a corpus of alignments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .wer import Pair, operation


@dataclass(frozen=True)
class Confusions:
    """Counts of errors by word.

    Attributes:
        substitutions: By (reference word, hypothesis word).
        deletions: By reference word.
        insertions: By hypothesis word.
    """

    substitutions: Counter = field(default_factory=Counter)
    deletions: Counter = field(default_factory=Counter)
    insertions: Counter = field(default_factory=Counter)


def count_confusions(alignments: Iterable[Sequence[Pair]]) -> Confusions:
    """Count the errors of alignments as ``align_words`` gives them.

    Examples:
        >>> from mmsign.evaluation import align_words
        >>> pairs = align_words(['SUN', 'RAIN'], ['SUN', 'HAIL'])
        >>> count_confusions([pairs, pairs]).substitutions
        Counter({('RAIN', 'HAIL'): 2})
    """
    found = Confusions()
    for pairs in alignments:
        for pair in pairs:
            match operation(pair):
                case 'I':
                    found.insertions[pair[1]] += 1
                case 'D':
                    found.deletions[pair[0]] += 1
                case 'S':
                    found.substitutions[pair] += 1
    return found


def most_common(counts: Counter, limit: int) -> list[tuple]:
    """``(key, count)`` of the ``limit`` largest, equal counts in order of the keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
