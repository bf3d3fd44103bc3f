"""Read the annotation tables of the corpora: one row a line, ``|`` between fields.

Nothing is quoted in them, so a quotation mark is a character like any other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence


class AnnotationError(ValueError):
    """A corpus' annotations are not as they should be."""


def read_table(path: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a table whose first line names its columns.

    Args:
        path: Of the file, UTF-8.
        columns: The names that the first line must have, in this order.

    Returns:
        For each row its line number, counted from 1, and its fields by column.

    Raises:
        FileNotFoundError: If there is no such file.
        AnnotationError: Naming file and line, if a row is broken.
    """
    name = os.fspath(path)
    rows = []
    with open(path, encoding='utf-8-sig') as file:
        try:
            lines = file.read().split('\n')
        except UnicodeDecodeError as error:
            raise AnnotationError(
                f'{name}: not UTF-8 at byte {error.start} ({error.reason}); use the '
                'file as the corpus ships it'
            ) from error
    header = lines[0].split('|')
    if header != list(columns):
        raise AnnotationError(
            f'{name}, line 1: expected the columns {"|".join(columns)}, '
            f'found {lines[0][:200]!r}'
        )
    if lines[-1] == '':
        lines.pop()
    for number, line in enumerate(lines[1:], 2):
        fields = line.split('|')
        if len(fields) != len(columns):
            raise AnnotationError(
                f'{name}, line {number}: expected {len(columns)} fields '
                f'({"|".join(columns)}), found {len(fields)}: {line[:200]!r}'
            )
        rows.append((number, dict(zip(columns, fields))))
    return rows
