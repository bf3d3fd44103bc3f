"""Tables in Arrow's formats: Parquet, and folders of Hugging Face's ``datasets``.

A folder that ``save_to_disk`` wrote holds ``state.json``, which names its files; one of
several splits holds ``dataset_dict.json``, which names their folders.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from mmsign.errors import DataError, explain, optional_import
from mmsign.files import read_json

PARQUET = '.parquet'
FOLDER_FILES = ('dataset_dict.json', 'state.json')
_SPLITS = dict(validation='dev', valid='dev', val='dev')  # as others call it
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)

Row = dict[str, Any]


def read_table(
    path: str | os.PathLike, columns: Collection[str]
) -> Iterator[tuple[str, Row]]:
    """The rows of a table.

    Args:
        path: ``*.parquet``, or one of ``FOLDER_FILES`` in its folder.
        columns: Those that are read, if they are there.

    Yields:
        Where each row is, and its values by column; of several splits with ``split``,
        the name of its own, unless a column says it.

    Raises:
        DataError: Naming the file, if it cannot be read.
        MissingPackageError: Without ``pyarrow``.
    """
    path = Path(path)
    if path.name == FOLDER_FILES[0]:
        with explain(DataError, f'{path}: no folder of datasets', *_BROKEN):
            names = [_inside(name) for name in read_json(path)['splits']]
        for name in names:
            own = dict(split=_SPLITS.get(name, name))
            for where, row in read_table(path.parent / name / FOLDER_FILES[1], columns):
                yield where, own | row
        return
    files = [path]
    if path.name == FOLDER_FILES[1]:
        with explain(DataError, f'{path}: no folder of datasets', *_BROKEN):
            listed = [
                _inside(one['filename']) for one in read_json(path)['_data_files']
            ]
        files = [path.parent / name for name in listed]
    for file in files:
        with explain(DataError, f'{file}: no table that can be read', *_BROKEN):
            rows = _rows(file, columns)
        yield from ((f'{file}, row {n}', row) for n, row in enumerate(rows, 1))


def _inside(name: str) -> str:
    """A name of something in the same folder, and nowhere else."""
    if os.path.basename(name) != name or name in ('', '.', '..'):
        raise ValueError(f'{name!r} is no name')
    return name


def _rows(file: Path, columns: Collection[str]) -> list[Row]:
    arrow = optional_import('pyarrow', 'files')
    if file.suffix.lower() == PARQUET:
        with optional_import('pyarrow.parquet', 'files').ParquetFile(file) as table:
            taken = [name for name in table.schema_arrow.names if name in columns]
            return table.read(taken).to_pylist()
    with arrow.memory_map(str(file)) as source:
        table = optional_import('pyarrow.ipc', 'files').open_stream(source).read_all()
        taken = [name for name in table.column_names if name in columns]
        return table.select(taken).to_pylist()
