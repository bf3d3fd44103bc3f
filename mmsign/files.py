"""Files that appear complete or not at all."""

import contextlib
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from mmsign.errors import ConfigError, DataError, explain

# Written beside frames or videos, these would be read as some of them.
_PART_OF_A_CLIP = ('.png', '.mp4')


def check_outputs(
    outputs: Iterable[str | os.PathLike | None],
    inputs: Iterable[str | os.PathLike | None] = (),
    suffixes: Sequence[str] = (),
    folders: bool = False,
) -> None:
    """Refuse outputs that would destroy an input, or that cannot be written.

    For a tool to call before it opens or computes anything. Files are compared by what
    their paths lead to, so that links and other spellings are seen through.

    Args:
        outputs: Files that will be written; None is skipped.
        inputs: What is read: files, folders of frames or videos, in which no picture
            or video may be written, and members of archives (``ARCHIVE.zip@FOLDER``);
            None and what does not exist are skipped.
        suffixes: What an output's name may end in, such as ``'.jsonl'``; empty for
            anything.
        folders: The outputs are folders, which may exist.

    Raises:
        ConfigError: An output is an input, another output, of another kind, or in a
            place where nothing can be written.

    Examples:
        >>> check_outputs(['glosses.jsonl'], ['clip.mp4'], ['.jsonl'])
        >>> check_outputs(['clip.mp4'], ['clip.mp4'], ['.jsonl'])
        Traceback (most recent call last):
        mmsign.errors.ConfigError: the output clip.mp4 must be named *.jsonl
    """
    written: dict[str, str] = {}
    read = [place for name in inputs if name is not None for place in _places(name)]
    for output in map(os.fspath, filter(None, outputs)):
        what = f'the output {output}'
        if suffixes and not output.lower().endswith(tuple(suffixes)):
            kinds = ' or '.join(f'*{suffix}' for suffix in suffixes)
            raise ConfigError(f'{what} must be named {kinds}')
        real = os.path.realpath(output)
        if real in written:
            raise ConfigError(f'{written[real]} and {output} would be one file')
        written[real] = output
        exists = os.path.exists(real)
        if exists and os.path.isdir(real) != folders:
            kinds = ('a folder', 'a file') if folders else ('a file', 'a folder')
            raise ConfigError(f'{what} must be {kinds[0]}, not {kinds[1]}')
        for place in read:
            if exists and os.path.samefile(real, place):
                raise ConfigError(f'{what} is the input {place}: name another file')
            inside = Path(os.path.realpath(place)) in Path(real).parents
            if inside and real.lower().endswith(_PART_OF_A_CLIP):
                raise ConfigError(
                    f'{what} would change the input {place}: name a file outside of it'
                )
        if exists and not os.access(real, os.W_OK):
            raise ConfigError(f'{what} is write-protected')
        check_writable(real if folders else Path(real).parent, what)


def _places(name: str | os.PathLike) -> list[str]:
    """Where an input lies, if it exists: itself, or the archive that it is in."""
    name = os.fspath(name)
    candidates = name, name.partition('@')[0]
    return [place for place in candidates if place and os.path.exists(place)][:1]


def check_writable(folder: str | os.PathLike, what: str) -> None:
    """Raise ConfigError that begins with ``what`` if nothing can be written there.

    A folder that does not exist is not made: the first above it that does is tried.
    """
    here = Path(os.path.realpath(folder))
    here = next((path for path in (here, *here.parents) if path.exists()), here)
    text = f'{what} cannot be written, name another place or make room'
    with explain(ConfigError, text, OSError), tempfile.TemporaryFile(dir=here) as file:
        file.write(b'x')
        file.flush()


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike, mode: str = 'wb', durable: bool = False
) -> Iterator[IO]:
    """Open a file that takes the place of ``path`` once it is written to its end.

    It is written beside ``path`` under a name of this process's own, so that two
    processes never share it; what a killed process of this machine left there goes
    with the next write. A link is followed: its target is replaced. What is no file,
    such as ``/dev/stdout``, is written to.

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
    text = {} if 'b' in mode else dict(encoding='utf-8', newline='')
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, mode, **text) as file:
            yield file
        return
    with replacing_path(path) as partial, open(partial, mode, **text) as file:
        yield file
        if durable:
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def replacing_path(path: str | os.PathLike, suffix: str = '') -> Iterator[Path]:
    """``replacing`` for libraries that open files themselves.

    Args:
        path: To write; missing folders are made.
        suffix: What the name that is yielded must end in, such as ``.mp4``.

    Yields:
        Where to write; it takes the place of ``path`` at the end.

    Raises:
        OSError: If it cannot be written; what was at ``path`` is untouched.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_orphans(target)
    partial = partial_path(target, suffix)
    try:
        yield partial
        os.replace(partial, target)
    finally:
        # A folder that is gone or read-only must not hide the first error.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def partial_path(target: Path, suffix: str = '') -> Path:
    """Where this process writes what will become ``target``."""
    return target.with_name(f'.{target.name}.{_host()}.{os.getpid()}.partial{suffix}')


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write UTF-8 text as it is; the file appears complete or not at all."""
    with replacing(path, 'w') as file:
        file.write(text)


def write_lines(path: str | os.PathLike, lines: Iterable[str]) -> None:
    """Write UTF-8 text, one entry a line; the file appears complete or not at all."""
    with replacing(path, 'w') as file:
        file.writelines(f'{line}\n' for line in lines)


class LineWriter:
    """A text file of which each line is there, whole, as soon as it is written.

    For the results of long work, which an interruption must not cost. The first line
    replaces what was there.

    Args:
        path: To write; missing folders are made.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.count = 0

    def write(self, line: str) -> None:
        """Append a line, without its end.

        Raises:
            OSError: If it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # What is no text, in the name of a file, becomes an escape that JSON knows.
        data = f'{line}\n'.encode(errors='backslashreplace')
        with open(self.path, 'ab' if self.count else 'wb') as file:
            file.write(data)
        self.count += 1


def read_lines(path: str | os.PathLike) -> list[str]:
    """The lines of a UTF-8 file, without their ends.

    Raises:
        DataError: If it cannot be read or is not UTF-8; says where.

    Examples:
        >>> write_lines('glosses.txt', ['REGEN', 'ÜBER'])
        >>> read_lines('glosses.txt')
        ['REGEN', 'ÜBER']
    """
    with explain(DataError, f'cannot read {path}', OSError):
        data = Path(path).read_bytes()
    try:
        text = data.decode('utf-8').removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise DataError(
            f'{path} is not UTF-8: line {line} holds the byte '
            f'0x{data[error.start]:02x}; save it as UTF-8'
        ) from error
    # Not splitlines(), which also breaks lines at characters words may hold.
    lines = text.removesuffix('\n').split('\n') if text else []
    return [line.removesuffix('\r') for line in lines]


def read_json(path: str | os.PathLike) -> Any:
    """What a JSON file holds.

    Raises:
        DataError: If it cannot be read or is not JSON.
    """
    text = f'{path} cannot be read as JSON'
    with explain(DataError, text, OSError, ValueError, RecursionError):
        return json.loads(Path(path).read_text(encoding='utf-8-sig'))


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
    name = re.escape(f'.{target.name}.{_host()}.')
    partial = re.compile(rf'{name}(\d+)\.partial(\.\w+)?')
    with contextlib.suppress(OSError):
        for entry in os.scandir(target.parent):
            found = partial.fullmatch(entry.name)
            if found and not is_alive(int(found[1])):
                os.unlink(entry.path)


def is_alive(process: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except OSError as error:
        # If not gone, it is another user's.
        return not isinstance(error, ProcessLookupError)
    return True


def opencv_name(path: str | os.PathLike) -> str | bytes:
    """The name of a video as OpenCV takes it.

    One that is not UTF-8 would kill the process, as a string; bytes are refused before
    OpenCV 4.12.

    Examples:
        >>> opencv_name('grün.mp4')
        'grün.mp4'
    """
    name = os.fspath(path)
    legible = name.encode(errors='ignore').decode() == name
    return name if legible else os.fsencode(name)
