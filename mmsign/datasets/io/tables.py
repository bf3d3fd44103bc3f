"""Read the annotation tables of the corpora: one row a line, ``|`` between fields.

Nothing is quoted in them, so a quotation mark is a character like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmsign.errors import DataError
from mmsign.files import read_lines


def read_table(path: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a table whose first line names its columns.

    Args:
        path: Of the file, UTF-8.
        columns: The names that the first line must have, in this order.

    Returns:
        For each row its line number, counted from 1, and its fields by column.

    Raises:
        DataError: Naming file and line, if it cannot be read or a row is broken.
    """
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        fields = line.split('|')
        if number == 1 and fields != list(columns):
            raise DataError(
                f'{path}, line 1: expected the columns {"|".join(columns)}, found '
                f'{line[:200]!r}'
            )
        if len(fields) != len(columns):
            raise DataError(
                f'{path}, line {number}: expected {len(columns)} fields '
                f'({"|".join(columns)}), found {len(fields)}: {line[:200]!r}'
            )
        rows.append((number, dict(zip(columns, fields))))
    if not rows:
        raise DataError(f'{path}: is empty, expected the columns {"|".join(columns)}')
    return rows[1:]
