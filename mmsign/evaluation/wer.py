"""Word errors as NIST sclite counts them: docs/method.md#metrics.

The alignment minimises 4 per substitution, 3 per insertion and 3 per deletion.
Several alignments may cost the same and still differ in their counts (three
substitutions cost what two insertions and two deletions do); sclite's choice is
made here: followed back from the end of both sentences, a match or substitution
goes before an insertion, an insertion before a deletion.

Words are any hashable tokens and are compared as they are; sclite itself ignores
case unless it is run with ``-s``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmsign.errors import DataError

SUBSTITUTION_COST = 4
INSERTION_COST = 3
DELETION_COST = 3

Pair = tuple[str | None, str | None]


@dataclass(frozen=True)
class WordErrors:
    """Counts over one or more sentences; add them with ``+``.

    Attributes:
        substitutions, deletions, insertions: Words of the alignment.
        reference_words: Words of the references.
        sentences: Number of sentences.
        correct_sentences: Sentences without any error.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_words: int = 0
    sentences: int = 0
    correct_sentences: int = 0

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """Errors in percent of the reference words; above 100 if many are inserted.

        Raises:
            ValueError: the references hold no word at all.
        """
        if not self.reference_words:
            raise DataError(
                f'the word error rate of {self.sentences} sentences is undefined: '
                'their references hold no word'
            )
        return 100 * self.errors / self.reference_words

    @property
    def sentence_accuracy(self) -> float:
        """Sentences without error, in percent of all.

        Raises:
            ValueError: there are no sentences.
        """
        if not self.sentences:
            raise DataError('the sentence accuracy of no sentences is undefined')
        return 100 * self.correct_sentences / self.sentences

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_words + other.reference_words,
            self.sentences + other.sentences,
            self.correct_sentences + other.correct_sentences,
        )


def count_word_errors(
    references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]
) -> WordErrors:
    """Count the errors of a corpus.

    An empty reference makes every word of its hypothesis an insertion, an empty
    hypothesis every word of its reference a deletion.

    Args:
        references: One sequence of words per sentence.
        hypotheses: As many, in the same order.

    Raises:
        ValueError: the numbers of sentences differ.
    """
    if len(references) != len(hypotheses):
        raise DataError(
            f'{len(references)} references but {len(hypotheses)} hypotheses: expected '
            'one hypothesis per reference, in the same order'
        )
    total = WordErrors()
    for reference, hypothesis in zip(references, hypotheses):
        total += sentence_errors(reference, hypothesis)
    return total


def sentence_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> WordErrors:
    """Count the errors of one sentence."""
    substitutions = deletions = insertions = 0
    for expected, found in align_words(reference, hypothesis):
        if expected is None:
            insertions += 1
        elif found is None:
            deletions += 1
        elif expected != found:
            substitutions += 1
    correct = not (substitutions or deletions or insertions)
    return WordErrors(
        substitutions, deletions, insertions, len(reference), 1, int(correct)
    )


def align_words(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Pair]:
    """Align two sentences word by word.

    Returns:
        Pairs (reference word, hypothesis word) in order of the sentences; None
        stands for the missing side of a deletion or insertion.
    """
    pairs: list[Pair] = []
    rows, columns = len(reference), len(hypothesis)
    # Equal last words are always matched: no other way to end costs less, and a
    # match is preferred. What the sentences end with needs no table.
    while rows and columns and reference[rows - 1] == hypothesis[columns - 1]:
        rows, columns = rows - 1, columns - 1
        pairs.append((reference[rows], hypothesis[columns]))
    costs = _cost_table(reference[:rows], hypothesis[:columns])
    while rows and columns:
        cost = costs[rows][columns]
        expected, found = reference[rows - 1], hypothesis[columns - 1]
        step = 0 if expected == found else SUBSTITUTION_COST
        if cost == costs[rows - 1][columns - 1] + step:
            rows, columns = rows - 1, columns - 1
            pairs.append((expected, found))
        elif cost == costs[rows][columns - 1] + INSERTION_COST:
            columns -= 1
            pairs.append((None, found))
        else:
            rows -= 1
            pairs.append((expected, None))
    pairs.extend((word, None) for word in reversed(reference[:rows]))
    pairs.extend((None, word) for word in reversed(hypothesis[:columns]))
    return pairs[::-1]


def _cost_table(reference: Sequence[str], hypothesis: Sequence[str]) -> list[list[int]]:
    """Least cost of aligning every beginning of one with every one of the other."""
    above = [INSERTION_COST * column for column in range(len(hypothesis) + 1)]
    table = [above]
    for word in reference:
        left = above[0] + DELETION_COST
        row = [left]
        for column, found in enumerate(hypothesis):
            left += INSERTION_COST
            diagonal = above[column]
            if word != found:
                diagonal += SUBSTITUTION_COST
            if diagonal < left:
                left = diagonal
            upper = above[column + 1] + DELETION_COST
            if upper < left:
                left = upper
            row.append(left)
        table.append(row)
        above = row
    return table
