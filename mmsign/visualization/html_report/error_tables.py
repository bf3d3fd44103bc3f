"""The tables of the report, each from a run or two.

A cell that is a float is a percentage, shown with a bar behind it; a pair is the name
of an error and what the search of the sentences finds it by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mmsign.evaluation.bootstrap import randomization_test, wer_difference, wer_interval
from mmsign.evaluation.wer import count_confusions, most_common

from .run import LENGTHS, Run, bin_of, gloss_frequency, rate

Cell = str | int | float | tuple[str, str]


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first cell of each row is its heading."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def summary(run: Run) -> Table:
    """Word errors of every output, with confidence intervals."""
    rows = []
    for output in run.errors:
        total, interval = run.total(output), wer_interval(run.errors[output])
        errors = total.substitutions, total.deletions, total.insertions
        between = f'{interval.low:.2f} to {interval.high:.2f}'
        right = f'{total.sentence_accuracy:.1f}'
        rows.append((output, total.wer, between, *errors, total.reference_words, right))
    header = ('output', 'WER %', '95 % interval', *'SDIN', 'sentences right %')
    return Table(f'Outputs of {run.name}', header, rows)


def comparison(first: Run, second: Run) -> Table:
    """Both runs on the outputs that both have."""
    rows = []
    for output in first.errors:
        if output not in second.errors:
            continue
        pair = first.errors[output], second.errors[output]
        difference, chance = wer_difference(*pair), randomization_test(*pair)
        rows.append(
            (
                output,
                first.total(output).wer,
                second.total(output).wer,
                f'{difference.value:+.2f}',
                f'{difference.low:+.2f} to {difference.high:+.2f}',
                f'{chance:.4f}' if chance >= 0.0001 else 'below 0.0001',
                'yes' if chance < 0.05 else 'no',
            )
        )
    names = (f'{first.name}, WER %', f'{second.name}, WER %')
    tests = ('difference', '95 % interval', 'p', 'significant at 5 %')
    return Table('Two runs', ('output', *names, *tests), rows)


def confusions(run: Run, output: str, limit: int = 15) -> list[Table]:
    """The most frequent substitutions, deletions and insertions."""
    found = count_confusions(run.alignments[output])
    tables = []
    for title, form, counts in (
        ('Substituted', '{} → {}', found.substitutions),
        ('Deleted', '{} → –', found.deletions),
        ('Inserted', '– → {}', found.insertions),
    ):
        rows = []
        for key, count in most_common(counts, limit):
            words = (key,) if isinstance(key, str) else key
            rows.append(((' → '.join(words), form.format(*words)), count))
        caption = f'{title}: {sum(counts.values())}'
        tables.append(Table(caption, ('gloss', 'times'), rows))
    return tables


def breakdown(run: Run, caption: str, keys: Sequence) -> Table:
    """WER of every output by group; keys are names, or (place, name) to be sorted."""
    groups = [run.grouped(output, keys) for output in run.errors]
    rows = []
    for key in sorted(set(keys)):
        first = groups[0][key]
        rates = [
            rate(group[key]) if group[key].reference_words else 'no glosses'
            for group in groups
        ]
        name = key if isinstance(key, str) else key[1]
        rows.append((name, first.sentences, first.reference_words, *rates))
    outputs = (f'{output}, WER %' for output in run.errors)
    header = (caption, 'sentences', 'glosses', *outputs)
    return Table(f'WER by {caption}', header, rows)


def by_length(run: Run) -> Table:
    """WER by the number of glosses in the reference."""
    keys = [bin_of(len(reference), LENGTHS) for reference in run.references]
    return breakdown(run, 'length of the sentence', keys)


def by_frequency(run: Run, frequency: Counter, where: str) -> Table:
    """Share of glosses missed, by how often they occur."""
    found = [gloss_frequency(run, output, frequency) for output in run.errors]
    rows = []
    for key, (_, count) in found[0].items():
        shares = [100 * bins[key][0] / count for bins in found]
        rows.append((key[1], count, *shares))
    outputs = (f'{output}, missed %' for output in run.errors)
    header = (f'times {where}', 'glosses', *outputs)
    return Table(f'Glosses missed, by how often they occur {where}', header, rows)
