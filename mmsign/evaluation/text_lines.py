"""Text files of one entry per line, read and written whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mmsign.errors import DataError
from mmsign.files import replacing


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Raises:
        DataError: the file cannot be read or is not UTF-8; says where.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f'cannot read {path}: {error.strerror}') from error
    try:
        text = data.decode('utf-8').removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise DataError(
            f'{path} is not UTF-8: line {line} holds the byte '
            f'0x{data[error.start]:02x}, which cannot be decoded'
        ) from error
    # Not splitlines(), which also breaks lines at characters words may hold.
    lines = text.split('\n')
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix('\r') for line in lines]


def write_lines(path: str | os.PathLike, lines: Iterable[str]) -> None:
    """Write a UTF-8 file that appears complete or not at all.

    Missing folders are made; a file that is there is replaced.
    """
    with replacing(path, 'w') as file:
        file.writelines(f'{line}\n' for line in lines)
