"""A corpus of landmarks for ``SignFolderDataset``: labels, splits, manifest."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain, cycle, filterfalse, repeat
from typing import Any

from mmsign.errors import DataError
from mmsign.files import read_lines
from mmsign.vocab import composed

from .clip_names import is_legible
from .io.archives import safe_member
from .io.landmark_sources import Recording
from .sign_dataset import SignDataset, note_once
from .sign_folder import write_rows

_COLUMNS = ('glosses', 'signer', 'split')


def read_labels(path: str | os.PathLike) -> dict[str, dict[str, str]]:
    """What a table says about recordings.

    Args:
        path: CSV with a header: ``id`` and any of ``glosses``, ``signer`` and
            ``split``; others are passed over. A manifest is such a table.

    Returns:
        By id, what the columns say that are there.

    Raises:
        DataError: Naming the file and line.
    """
    text = '\n'.join(read_lines(path))
    rows = csv.DictReader(io.StringIO(text, newline=''), strict=True)
    found: dict[str, dict[str, str]] = {}
    seen: dict[str, str] = {}
    try:
        columns = [c for c in _COLUMNS if c in (rows.fieldnames or ())]
        if 'id' not in (rows.fieldnames or ()) or not columns:
            raise DataError(
                f'{path}, line 1: expected the column id and any of '
                f'{", ".join(_COLUMNS)}'
            )
        for row in rows:
            where = f'{path}, line {rows.line_num}'
            if None in row or None in row.values():
                raise DataError(f'{where}: expected {len(rows.fieldnames)} fields')
            note_once(seen, row['id'], where)
            if 'split' in columns:
                SignDataset.is_in('', row['split'], where)
            found[composed(row['id'])] = {c: row[c].strip() for c in columns}
    except csv.Error as error:
        raise DataError(f'{path}, line {rows.line_num}: no CSV ({error})') from error
    return found


def described(
    recording: Recording, labels: Mapping[str, dict[str, str]] | None
) -> dict[str, str]:
    """The manifest's ``id``, ``glosses`` and ``signer`` of a recording, and its
    ``split`` if a table says one.

    Args:
        recording: One.
        labels: Of ``read_labels``, which wins over what the recording itself says;
            None if there is no table.

    Raises:
        DataError: If the table lacks it, or its glosses are none.
    """
    name, where = recording.clip_id, recording.where
    if not is_legible(name) or not safe_member(name):
        raise DataError(f'{where}: {name!r} is no usable name of a clip')
    row = dict(id=name, glosses=recording.label, signer=recording.signer)
    if labels is not None:
        if name not in labels:
            raise DataError(f'{where}: the table of labels has no {name!r}')
        row |= labels[name]
    if row['glosses'] is None:
        raise DataError(
            f'{where}: nothing says its gloss; put it into a folder of that name, or '
            'name a table of labels'
        )
    glosses = row['glosses'].split()
    if len(glosses) != 1 and 'glosses' not in (labels or {}).get(name, {}):
        raise DataError(
            f'{where}: {row["glosses"]!r} would be {len(glosses)} glosses; write one '
            'without spaces, or name the glosses in a table of labels'
        )
    for gloss in filterfalse(is_legible, glosses):
        raise DataError(f'{where}: {gloss!r} is no legible gloss')
    return row


def deal_splits(rows: list[dict[str, str]]) -> None:
    """Give each row a ``split`` if none has one.

    Of the rows of one signer with the same glosses the last tenth, at least one, is for
    the test, as many before them for the development split, and the others for
    training. Where there are fewer than three such, as of sentences, one in ten is for
    each. That tells nothing about other signers.

    Raises:
        DataError: If some have a split.
    """
    without = [row for row in rows if not row.get('split')]
    if len(without) < len(rows):
        if without:
            raise DataError(f'{without[0]["id"]} has no split, others have')
        return
    alike = defaultdict(list)
    for row in rows:
        alike[row['glosses'], row['signer']].append(row)
    dealt = cycle(['train'] * 8 + ['dev', 'test'])
    for group in alike.values():
        held = -(-len(group) // 10)
        sizes = dict(train=len(group) - 2 * held, dev=held, test=held)
        splits = chain(*(repeat(split, count) for split, count in sizes.items()))
        for row, split in zip(group, splits if len(group) > 2 else dealt):
            row['split'] = split


def write_manifest(path: str | os.PathLike, rows: list[dict[str, Any]]) -> None:
    """Write a manifest of keypoints alone, without videos.

    Args:
        path: ``.csv``; complete or not at all.
        rows: With ``id``, ``glosses``, ``signer`` and ``split``; ``fps``, a number, and
            ``frame_size``, ``WIDTHxHEIGHT``, where they are known.
    """
    known = [c for c in ('fps', 'frame_size') if any(row.get(c) for row in rows)]
    columns = ('id', 'video', *_COLUMNS, *known)
    write_rows(path, [{c: _cell(row.get(c)) for c in columns} for row in rows])


def _cell(value: str | float | None) -> str:
    return f'{value:.10g}' if isinstance(value, float) else str(value or '')
