"""The tables of the report that are about single signs."""

from collections import Counter

from mmsign.evaluation.single_signs import BEST_SIGNS, SignScores

from .error_tables import Cell, Table
from .run import Run

# Rows and columns of a confusion table that can still be read.
_MOST = 30
IDLE = '(idle)'


def sign_summary(run: Run) -> Table:
    """Accuracy of every output, and what its "none of these" does."""
    rows = [
        (
            output,
            len(one.signs),
            *map(
                _cell,
                (one.accuracy(), one.accuracy(BEST_SIGNS), one.mean_class_accuracy),
            ),
            _cell(one.rejected),
            len(one.idle),
            _cell(one.false_accepts),
            _cell(one.calibration_error),
        )
        for output, one in run.signs.items()
    ]
    rates = ('accuracy@1 %', f'accuracy@{BEST_SIGNS} %', 'mean of the signs %')
    none = ('rejected %', 'idle clips', 'accepted falsely %')
    header = ('output', 'clips of a sign', *rates, *none, 'ECE %')
    return Table(f'Single signs of {run.name}', header, rows)


def signs_by(run: Run, output: str, title: str, attribute: str) -> Table:
    """Accuracy of each signer or each sign, what is rejected, what it is taken for."""
    rows = [
        (
            name,
            len(one.signs),
            *map(_cell, (one.accuracy(), one.accuracy(BEST_SIGNS), one.rejected)),
            one.taken_for or '–',
        )
        for name, one in run.signs[output].by(attribute).items()
    ]
    rates = ('accuracy@1 %', f'accuracy@{BEST_SIGNS} %', 'rejected %')
    header = (title, 'clips', *rates, 'taken for')
    return Table(f'Single signs by {title}', header, rows)


def sign_confusions(scores: SignScores) -> Table:
    """How often each sign (row) was read as each (column), of the signs that are
    confused most."""
    wrong = scores.confusions()
    confused: Counter[str] = Counter()
    for pair, count in wrong.items():
        confused.update(dict.fromkeys(pair, count))
    names = sorted(name for name, _ in confused.most_common(_MOST) if name)
    right = Counter(clip.reference for clip in scores.signs if clip.is_right())
    found = wrong + Counter({(name, name): count for name, count in right.items()})
    rows = [
        (row or IDLE, *(found[row, column] or '' for column in names))
        for row in [*names, *[''][: any(not row for row, _ in wrong)]]
    ]
    caption = 'Confusion table: signed (rows), read (columns)'
    return Table(caption, ('', *names), rows)


def _cell(rate: float) -> Cell:
    return rate if rate == rate else '–'  # not a number: undefined
