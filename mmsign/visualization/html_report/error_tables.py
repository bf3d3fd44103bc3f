"""The tables of the report, each from a run or two.

A cell that is a float is a percentage, shown with a bar behind it; a pair is the name
of an error and what the search of the sentences finds it by.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from itertools import chain
from typing import NamedTuple

from mmsign.evaluation.bootstrap import randomization_test, wer_difference, wer_interval
from mmsign.evaluation.levenshtein import levenshtein_errors
from mmsign.evaluation.wer import count_confusions, most_common

from .run import Run

LENGTHS = (3, 6, 9, 14)
FREQUENCIES = (0, 4, 19, 99, 499)
Cell = str | int | float | tuple[str, str]


class Table(NamedTuple):
    """Rows under a header; the first cell of each row is its heading."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def summary(run: Run, costs: str = 'sclite') -> Table:
    """Word errors of every output, with confidence intervals.

    ``costs='levenshtein'`` adds the rate at unit costs, see ``levenshtein_errors``.
    """
    header = ['output', 'WER %', '95 % interval', *'SDIN', 'sentences right %']
    if costs == 'levenshtein':
        header.append('WER % at unit costs')
    rows = []
    for output, errors in run.errors.items():
        total, (_, low, high) = run.total(output), wer_interval(errors)
        between, right = f'{low:.2f} to {high:.2f}', f'{total.sentence_accuracy:.1f}'
        row = (output, total.wer, between, *astuple(total)[:4], right)
        if costs == 'levenshtein':
            said = [[h for _, h in pairs if h] for pairs in run.alignments[output]]
            row += (levenshtein_errors(run.references, said).wer,)
        rows.append(row)
    return Table(f'Outputs of {run.name}', header, rows)


def comparison(first: Run, second: Run) -> Table:
    """Both runs on the outputs that both have."""
    rows = []
    for output in filter(second.errors.__contains__, first.errors):
        rates = [run.total(output).wer for run in (first, second)]
        pair = first.errors[output], second.errors[output]
        (value, low, high), chance = wer_difference(*pair), randomization_test(*pair)
        between = f'{value:+.2f}', f'{low:+.2f} to {high:+.2f}'
        p = f'{chance:.4f}' if chance >= 0.0001 else 'below 0.0001'
        rows.append((output, *rates, *between, p, 'yes' if chance < 0.05 else 'no'))
    names = (f'{first.name}, WER %', f'{second.name}, WER %')
    tests = ('difference', '95 % interval', 'p', 'significant at 5 %')
    return Table('Two runs', ('output', *names, *tests), rows)


def confusions(run: Run, output: str, limit: int = 15) -> list[Table]:
    """The most frequent substitutions, deletions and insertions."""
    tables = []
    for kind, counts in count_confusions(run.alignments[output]).items():
        rows = []
        for pair, count in most_common(counts, limit):
            name, search = filter(None, pair), (word or '–' for word in pair)
            rows.append(((' → '.join(name), ' → '.join(search)), count))
        title = f'{kind.capitalize()}: {counts.total()}'
        tables.append(Table(title, ('gloss', 'times'), rows))
    return tables


def bin_of(number: int, ends: Sequence[int]) -> tuple[int, str]:
    """The bin of a number among those that end with ``ends``: index and name."""
    index = bisect_left(ends, number)
    low = (-1, *ends)[index] + 1
    if index == len(ends):
        return index, f'{low} or more'
    return index, f'{low}–{ends[index]}' if low < ends[index] else str(low)


def breakdown(run: Run, caption: str, keys: Sequence) -> Table:
    """WER of every output by group; keys are names, or (place, name) to be sorted."""
    groups = [run.grouped(output, keys) for output in run.errors]
    rows = []
    for key in sorted(set(keys)):
        errors = [group[key] for group in groups]
        rates = [one.wer if one.reference_words else 'no glosses' for one in errors]
        name = key if isinstance(key, str) else key[1]
        rows.append((name, errors[0].sentences, errors[0].reference_words, *rates))
    header = (caption, 'sentences', 'glosses', *(f'{x}, WER %' for x in run.errors))
    return Table(f'WER by {caption}', header, rows)


def by_length(run: Run) -> Table:
    """WER by the number of glosses in the reference."""
    keys = [bin_of(len(reference), LENGTHS) for reference in run.references]
    return breakdown(run, 'length of the sentence', keys)


def by_frequency(run: Run, training: Counter | None = None) -> Table:
    """Share of the references' glosses that were missed, by how often they occur.

    Args:
        run: The run.
        training: How often each gloss occurs in training; None counts those of the
            references.
    """
    where = 'in these references' if training is None else 'in training'
    frequency = Counter(chain(*run.references)) if training is None else training

    def bins(words: Iterable[str]) -> Counter:
        return Counter(bin_of(frequency[word], FREQUENCIES) for word in words)

    missed = [
        bins(word for word, found in chain(*pairs) if word not in (None, found))
        for pairs in run.alignments.values()
    ]
    rows = [
        (key[1], count, *(100 * output[key] / count for output in missed))
        for key, count in sorted(bins(chain(*run.references)).items())
    ]
    header = (f'times {where}', 'glosses', *(f'{x}, missed %' for x in run.errors))
    return Table(f'Glosses missed, by how often they occur {where}', header, rows)
