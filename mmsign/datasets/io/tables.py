"""Read the annotation tables of the corpora: one row a line, ``|`` between fields.

Nothing is quoted in them, so a quotation mark is a character like any other.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence

from mmsign.errors import DataError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | os.PathLike) -> str:
    """A text file, with line ends as ``\\n``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, if it is not UTF-8.
    """
    with open(path, 'rb') as file:
        data = file.read()
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        if data.startswith(_UTF16_MARKS):
            raise DataError(
                f'{os.fspath(path)}: is UTF-16, not UTF-8; save it as UTF-8'
            ) from error
        line = data.count(b'\n', 0, error.start) + 1
        raise DataError(
            f'{os.fspath(path)}, line {line}: not UTF-8 at byte {error.start} '
            f'({error.reason}); use the file as the corpus ships it, or save it as '
            'UTF-8'
        ) from error
    return text.replace('\r\n', '\n')


def read_table(path: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a table whose first line names its columns.

    Args:
        path: Of the file, UTF-8.
        columns: The names that the first line must have, in this order.

    Returns:
        For each row its line number, counted from 1, and its fields by column.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming file and line, if a row is broken.
    """
    name = os.fspath(path)
    rows = []
    lines = read_text(path).split('\n')
    header = lines[0].split('|')
    if header != list(columns):
        raise DataError(
            f'{name}, line 1: expected the columns {"|".join(columns)}, '
            f'found {lines[0][:200]!r}'
        )
    if lines[-1] == '':
        lines.pop()
    for number, line in enumerate(lines[1:], 2):
        fields = line.split('|')
        if len(fields) != len(columns):
            raise DataError(
                f'{name}, line {number}: expected {len(columns)} fields '
                f'({"|".join(columns)}), found {len(fields)}: {line[:200]!r}'
            )
        rows.append((number, dict(zip(columns, fields))))
    return rows
