"""Word errors as NIST sclite counts them: docs/method.md#metrics.

The alignment minimises 4 per substitution, 3 per insertion and 3 per deletion.
Several alignments may cost the same and still differ in their counts (three
substitutions cost what two insertions and two deletions do); sclite's choice is
made here: followed back from the end of both sentences, a match or substitution
goes before an insertion, an insertion before a deletion.

Words are any hashable tokens and are compared as they are; sclite itself ignores
case unless it is run with ``-s``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from mmsign.errors import DataError

from .tokens import Sentences, Tokens, check_pairs

SUBSTITUTION_COST, GAP_COST = 4, 3

ERRORS = dict(S='substituted', D='deleted', I='inserted')
"""What the letter of an error stands for."""

Pair = tuple[str | None, str | None]


@dataclass(frozen=True)
class WordErrors:
    """Error counts of one or more sentences; add them with ``+``.

    Attributes:
        substitutions, deletions, insertions: Words of the alignment.
        reference_words: Words of the references.
        sentences: Number of sentences.
        correct_sentences: Sentences without any error.

    Examples:
        >>> dev = WordErrors(substitutions=1, deletions=2, reference_words=12)
        >>> test = WordErrors(insertions=1, reference_words=8)
        >>> (dev + test).wer
        20.0
        >>> print(dev + test)
        S 1, D 2, I 1, N 20
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
            DataError: the references hold no word at all.
        """
        if not self.reference_words:
            raise DataError('no word error rate: the references hold no word')
        return 100 * self.errors / self.reference_words

    @property
    def sentence_accuracy(self) -> float:
        """Sentences without error, in percent of all.

        Raises:
            DataError: there are no sentences.
        """
        if not self.sentences:
            raise DataError('the sentence accuracy of no sentences is undefined')
        return 100 * self.correct_sentences / self.sentences

    def metrics(self) -> dict[str, float]:
        """The rates and counts, as ``WERMetric`` names them."""
        rates = dict(WER=self.wer, sentence_accuracy=self.sentence_accuracy)
        counts = dict(S=self.substitutions, D=self.deletions, I=self.insertions)
        return rates | counts | dict(reference_words=self.reference_words)

    def __str__(self) -> str:
        errors = f'S {self.substitutions}, D {self.deletions}, I {self.insertions}'
        return f'{errors}, N {self.reference_words}'

    def __add__(self, other: 'WordErrors') -> 'WordErrors':
        both = zip(vars(self).values(), vars(other).values())
        return WordErrors(*(ours + theirs for ours, theirs in both))


def count_word_errors(references: Sentences, hypotheses: Sentences) -> WordErrors:
    """Count the errors of a corpus.

    An empty reference makes every word of its hypothesis an insertion, an empty
    hypothesis every word of its reference a deletion.

    Args:
        references: One sequence of words per sentence.
        hypotheses: As many, in the same order.

    Raises:
        DataError: the numbers of sentences differ, or there are none.

    Examples:
        >>> count_word_errors([['REGEN', 'NORD'], ['SONNE']], [['REGEN'], ['WIND']])
        WordErrors(substitutions=1, deletions=1, insertions=0, reference_words=3,
                   sentences=2, correct_sentences=0)
    """
    check_pairs(references, hypotheses)
    return sum(map(sentence_errors, references, hypotheses), WordErrors())


def sentence_errors(reference: Tokens, hypothesis: Tokens) -> WordErrors:
    """Count the errors of one sentence."""
    return alignment_errors(align_words(reference, hypothesis))


def alignment_errors(alignment: Sequence[Pair]) -> WordErrors:
    """Count the errors of one sentence that ``align_words`` has aligned.

    Examples:
        >>> print(alignment_errors([('REGEN', None), ('NORD', 'NORD'), (None, 'WIND')]))
        S 0, D 1, I 1, N 2
    """
    counts = Counter(map(operation, alignment))
    errors = counts['S'], counts['D'], counts['I']
    return WordErrors(*errors, len(alignment) - counts['I'], 1, int(not any(errors)))


def operation(pair: Pair) -> str:
    """The letter of a pair of an alignment: S, D, I, or C for a correct word."""
    expected, found = pair
    if None in pair:
        return 'I' if expected is None else 'D'
    return 'C' if expected == found else 'S'


def word_error_table(errors: Mapping[str, WordErrors]) -> str:
    """A table with one line per entry: its name, WER in percent, S, D, I, N (the
    reference words), and the sentences without error in percent.

    Raises:
        DataError: an entry's word error rate is undefined.

    Examples:
        >>> print(word_error_table({'joint': WordErrors(1, 2, 0, 12, 4, 2)}))
        output     WER      S      D      I       N  sentences correct
        joint    25.00      1      2      0      12   50.00 % of 4
    """
    width = max(map(len, [*errors, 'output']))
    columns = 'WER      S      D      I       N  sentences correct'
    lines = [f'{"output":{width}}     {columns}']
    for name, one in errors.items():
        counts = f'{one.substitutions:7}{one.deletions:7}{one.insertions:7}'
        correct = f'{one.sentence_accuracy:6.2f} % of {one.sentences}'
        counts += f'{one.reference_words:8}  {correct}'
        lines.append(f'{name:{width}}  {one.wer:6.2f}{counts}')
    return '\n'.join(lines)


def align_words(reference: Tokens, hypothesis: Tokens) -> list[Pair]:
    """Align two sentences word by word.

    Returns:
        Pairs (reference word, hypothesis word) in order of the sentences; None
        stands for the missing side of a deletion or insertion.

    Examples:
        >>> align_words(['REGEN', 'NORD'], ['NORD', 'WIND'])
        [('REGEN', None), ('NORD', 'NORD'), (None, 'WIND')]
    """
    pairs: list[Pair] = []
    rows, columns = len(reference), len(hypothesis)
    costs = _cost_table(reference, hypothesis)
    while rows and columns:
        cost = costs[rows][columns]
        expected, found = reference[rows - 1], hypothesis[columns - 1]
        step = 0 if expected == found else SUBSTITUTION_COST
        if cost == costs[rows - 1][columns - 1] + step:
            rows, columns = rows - 1, columns - 1
            pairs.append((expected, found))
        elif cost == costs[rows][columns - 1] + GAP_COST:
            columns -= 1
            pairs.append((None, found))
        else:
            rows -= 1
            pairs.append((expected, None))
    pairs.extend((word, None) for word in reversed(reference[:rows]))
    pairs.extend((None, word) for word in reversed(hypothesis[:columns]))
    return pairs[::-1]


def _cost_table(reference: Tokens, hypothesis: Tokens) -> list[list[int]]:
    """Least cost of aligning every beginning of one with every one of the other."""
    table = [[GAP_COST * column for column in range(len(hypothesis) + 1)]]
    for word in reference:
        above, row = table[-1], [table[-1][0] + GAP_COST]
        for column, found in enumerate(hypothesis):
            step = 0 if word == found else SUBSTITUTION_COST
            gap = min(row[-1], above[column + 1]) + GAP_COST
            row.append(min(above[column] + step, gap))
        table.append(row)
    return table


def count_confusions(alignments: Iterable[Sequence[Pair]]) -> dict[str, Counter]:
    """Count the errors of alignments as ``align_words`` gives them.

    Returns:
        How often each wrong pair occurs, under ``substituted``, ``deleted`` and
        ``inserted``.

    Examples:
        >>> from mmsign.evaluation import align_words
        >>> pairs = align_words(['SUN', 'RAIN'], ['SUN', 'HAIL'])
        >>> count_confusions([pairs, pairs])['substituted']
        Counter({('RAIN', 'HAIL'): 2})
    """
    counts = {kind: Counter() for kind in ERRORS.values()}
    for pair in chain.from_iterable(alignments):
        if (letter := operation(pair)) in ERRORS:
            counts[ERRORS[letter]][pair] += 1
    return counts


def most_common(counts: Counter, limit: int) -> list[tuple]:
    """``(key, count)`` of the ``limit`` largest, equal counts in order of the keys."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
