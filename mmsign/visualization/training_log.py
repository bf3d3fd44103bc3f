"""The scalars that MMEngine logs during a training, read back and joined.

A work folder has a folder per start, named by its time, with ``vis_data/scalars.json``:
one JSON object per line, ``loss…`` with ``iter`` and perhaps ``epoch``, or metrics of a
validation.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mmsign.errors import DataError

SCALARS = 'scalars.json'
_PLACES = (SCALARS, f'vis_data/{SCALARS}', f'*/vis_data/{SCALARS}')
# Of a line, what is no curve of its own.
_CLOCKS = {'epoch', 'iter', 'step', 'time', 'data_time', 'memory'}


class Curve(NamedTuple):
    """A quantity over a training: its values at ascending places, none infinite."""

    places: tuple[float, ...]
    values: tuple[float, ...]

    def best(self, smallest: bool = True) -> tuple[float, float]:
        """(value, place) of the smallest or largest value, the first of equal ones."""
        value = (min if smallest else max)(self.values)
        return value, self.places[self.values.index(value)]


@dataclass(frozen=True)
class TrainingLog:
    """A training, joined from the logs of its starts.

    Attributes:
        name: For legends.
        unit: Of the places, ``epoch`` or ``iteration``.
        training: Curves by name: ``loss``, ``loss_…``, ``lr``, ``grad_norm``, …
        validation: Curves by name: ``average/WER``, …
        starts: Places at which a later start went on.
        iterations: The last one.
    """

    name: str
    unit: str
    training: dict[str, Curve]
    validation: dict[str, Curve]
    starts: tuple[float, ...]
    iterations: int

    @property
    def losses(self) -> list[str]:
        """Names of the loss and its terms, the sum first."""
        terms = [name for name in self.training if 'loss' in name and name != 'loss']
        return ['loss'] * ('loss' in self.training) + sorted(terms)


def read_log(path: str | Path, name: str | None = None) -> TrainingLog:
    """Read a training's log.

    Where a later start repeats iterations, because it resumed from an older
    checkpoint, its own count. A start from scratch replaces all before it.

    Args:
        path: A work folder, the folder of one start, or a ``scalars.json``.
        name: For legends; None takes the folder's.

    Raises:
        FileNotFoundError: there is nothing at ``path``.
        DataError: there is no log, it has no training, or a line is broken.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    inside = (file for place in _PLACES for file in sorted(path.glob(place)))
    files = [path] if path.is_file() else list(inside)
    if not files:
        raise DataError(f'{path} has no TIME/vis_data/{SCALARS} of a LocalVisBackend')
    joined, starts = [], []
    for file in files:
        records = _read(file)
        logged = [record['iter'] for record in records if _is_training(record)]
        if not logged:
            continue  # a test or a validation alone
        # The first line is an interval after the start.
        start = max(0, 2 * logged[0] - logged[1]) if len(logged) > 1 else logged[0]
        joined = [record for record in joined if record['iter'] <= start]
        starts = [one for one in starts if one < start] + [start] * bool(joined)
        joined += records
    if not joined:
        raise DataError(f'{path} has no losses: stopped before the first was logged?')
    folder = path.resolve()
    if folder.is_file() and folder.parent.name == 'vis_data':
        folder = folder.parent.parent
    return _curves(joined, starts, name or folder.name)


def _read(file: Path) -> list[dict]:
    """The lines, each with an ``iter``: of a validation, that of the line before."""
    lines = file.read_text(encoding='utf-8').splitlines()
    records, iteration = [], 0
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            record['iter'] = iteration = int(record.get('iter', iteration))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            if number == len(lines):
                continue  # killed while it wrote
            raise DataError(f'{file}, line {number}: no JSON object') from error
        records.append(record)
    return records


def _is_training(record: dict) -> bool:
    return any('loss' in key for key in record)


def _curves(records: Sequence[dict], starts: Sequence[int], name: str) -> TrainingLog:
    # Of each epoch the last iteration is logged, or one soon before it.
    epochs = [r['iter'] / r['epoch'] for r in records if r.get('epoch')]
    per_epoch = max(epochs, default=1)
    found = defaultdict(dict), defaultdict(dict)
    for record in records:
        place, trains = record['iter'] / per_epoch, _is_training(record)
        if epochs and not trains and abs(place - record.get('step', -1)) < 1:
            place = record['step']
        for key, value in record.items():
            number = isinstance(value, int | float) and math.isfinite(value)
            if number and key not in _CLOCKS:
                found[trains][key][place] = value
    validation, training = (
        {key: Curve(*zip(*sorted(points.items()))) for key, points in curves.items()}
        for curves in found
    )
    places = tuple(start / per_epoch for start in starts)
    unit, last = 'epoch' if epochs else 'iteration', max(r['iter'] for r in records)
    return TrainingLog(name, unit, training, validation, places, last)


def distinct_names(paths: Iterable[str | Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    parts = [Path(path).resolve().parts for path in paths]
    names: list[str] = []
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ['/'.join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names
