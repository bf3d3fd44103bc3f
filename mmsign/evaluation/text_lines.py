"""Text files of one entry per line, read and written whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class TextFileError(ValueError):
    """A file that cannot be used; the message names it and says why."""


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Raises:
        TextFileError: the file cannot be read or is not UTF-8; says where.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TextFileError(f'cannot read {path}: {error.strerror}') from error
    try:
        text = data.decode('utf-8').removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise TextFileError(
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
    # A reader, or a second look after a crash, must not find half a file.
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'{path.name}.{os.getpid()}.part')
    try:
        with open(partial, 'w', encoding='utf-8', newline='\n') as file:
            file.writelines(f'{line}\n' for line in lines)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
