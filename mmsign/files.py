"""Files that appear complete or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mmsign.errors import DataError


@contextmanager
def replacing(
    path: str | os.PathLike, mode: str = 'wb', durable: bool = False
) -> Iterator[IO]:
    """Open a file that takes the place of ``path`` once it is written to its end.

    It is written beside ``path`` under a name of this process's own, so that two
    processes never share it; what a killed process of this machine left there goes
    with the next write. A link is followed: its target is replaced.

    Args:
        path: To write; missing folders are made.
        mode: ``wb``, or ``w`` for UTF-8 text with its line ends as they are.
        durable: Wait until the bytes are on the disk, for what must survive a crash.

    Yields:
        The open file.

    Raises:
        OSError: If it cannot be written; what was at ``path`` is untouched.

    Examples:
        >>> with replacing('report.txt', 'w') as file:
        ...     _ = file.write('half')
        ...     Path('report.txt').exists()
        False
        >>> Path('report.txt').exists()
        True
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_orphans(target)
    partial = partial_path(target)
    text = {} if 'b' in mode else dict(encoding='utf-8', newline='')
    try:
        with open(partial, mode, **text) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        # A folder that is gone or read-only must not hide the first error.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def partial_path(target: Path) -> Path:
    """Where this process writes what will become ``target``."""
    return target.with_name(f'.{target.name}.{_host()}.{os.getpid()}.partial')


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write UTF-8 text as it is; the file appears complete or not at all."""
    with replacing(path, 'w') as file:
        file.write(text)


def write_lines(path: str | os.PathLike, lines: Iterable[str]) -> None:
    """Write UTF-8 text, one entry a line; the file appears complete or not at all."""
    with replacing(path, 'w') as file:
        file.writelines(f'{line}\n' for line in lines)


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Raises:
        DataError: If it cannot be read or is not UTF-8; says where.

    Examples:
        >>> write_lines('glosses.txt', ['REGEN', 'ÜBER'])
        >>> read_lines('glosses.txt')
        ['REGEN', 'ÜBER']
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


def file_stamp(path: str) -> tuple[str, int, int, int]:
    """Tell one version of a file from the next: path, time in ns, bytes, inode.

    The time alone is too coarse: two versions can be written within one tick of the
    file system's clock. A file that is replaced while open has another inode.

    Raises:
        OSError: If there is no such file.
    """
    status = os.stat(path)
    return path, status.st_mtime_ns, status.st_size, status.st_ino


def _host() -> str:
    return re.sub(r'\W', '-', socket.gethostname()) or 'localhost'


def _remove_orphans(target: Path) -> None:
    """Remove partial files of ``target`` whose process is no longer alive."""
    named = re.compile(rf'\.{re.escape(target.name)}\.{_host()}\.(\d+)\.partial')
    with contextlib.suppress(OSError):
        for entry in os.scandir(target.parent):
            found = named.fullmatch(entry.name)
            if found and not _is_alive(int(found[1])):
                os.unlink(entry.path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
