"""Arrays of many clips in one safetensors file: keypoints, features.

Any safetensors reader can open a store. What is in it is said by its metadata, of
which ``format`` and ``version`` are always there. The header is written by hand: the
library puts metadata in a random order, and here the same input gives the same bytes.

A store that grows clip by clip has a ``Journal`` beside it, ``NAME.journal``: a line of
JSON that says what it holds, then for each clip a line with its name, its length and
the checksum of the values that follow. Who is killed leaves a journal whose last entry
may be incomplete; the next writer drops that entry and goes on.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open

from mmsign.errors import DataError, explain
from mmsign.files import file_stamp, replacing

from ..clip_names import ClipNames

try:
    import fcntl
except ImportError:  # Windows: nothing hinders two writers of one file there
    fcntl = None

_DTYPES = {'<f2': 'F16', '<i4': 'I32'}
_LONGEST_LINE = 1 << 16

_Store = TypeVar('_Store', bound='ArrayStore')
_OPEN: dict[tuple, ArrayStore] = {}


class ArrayStore:
    """Read arrays lazily, by name.

    Nothing is opened before the first access. The object may be pickled, and may be
    used after a fork: each process opens the file once, for itself.

    Args:
        path: Of the safetensors file.

    Attributes:
        FORMAT, VERSION: What the metadata must say.
        KIND: What a message calls the file.
        PREFIX: Arrays whose names begin with it are one for each clip.
        MISSING: What to do if it is not there.
        LACKING: What to do if it lacks a clip.

    Raises:
        FileNotFoundError: On access, if there is no such file.
        DataError: On access, if it is no store of this format.
    """

    FORMAT: ClassVar[str]
    VERSION: ClassVar[str] = '1'
    KIND: ClassVar[str]
    PREFIX: ClassVar[str] = ''
    MISSING: ClassVar[str]
    LACKING: ClassVar[str]

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = os.fspath(path)
        self._pid = -1

    def __getstate__(self) -> dict:
        return dict(path=self.path, _pid=-1)

    @classmethod
    def open(cls: type[_Store], path: str) -> _Store:
        """The store of a path, one object per process and version of the file.

        Raises:
            FileNotFoundError: If there is no such file.
        """
        try:
            key = (cls, file_stamp(path))
        except OSError as error:
            raise cls(path).missing() from error
        return _OPEN.get(key) or _OPEN.setdefault(key, cls(path))

    @property
    def _opened(self) -> ArrayStore:
        """Itself, with the file open in this process."""
        if self._pid == os.getpid():
            return self
        if not os.path.isfile(self.path):
            raise self.missing()
        text = f'{self.path} is no safetensors file, or truncated'
        with explain(DataError, text, SafetensorError):
            self._tensors = safe_open(self.path, framework='np')
        metadata = self._tensors.metadata() or {}
        wanted = dict(format=self.FORMAT, version=self.VERSION)
        found = {key: metadata.get(key) for key in wanted}
        if found != wanted:
            raise DataError(f'{self.path}: expected {wanted}, found {found}')
        self._check(metadata)
        self._metadata, self._arrays = metadata, list(self._tensors.keys())
        clips = (n for n in self._arrays if n.startswith(self.PREFIX))
        self._clips = ClipNames((n.removeprefix(self.PREFIX) for n in clips), self.path)
        self._pid = os.getpid()
        return self

    def _check(self, metadata: Mapping[str, str]) -> None:
        """Raise DataError if the metadata lack something."""

    def missing(self) -> FileNotFoundError:
        """The error that says that the file is not there."""
        return FileNotFoundError(f'no {self.KIND} {self.path}; {self.MISSING}')

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        return self._opened._metadata

    @property
    def arrays(self) -> list[str]:
        """Names of the arrays."""
        return self._opened._arrays

    @property
    def clip_ids(self) -> list[str]:
        """Names of the clips in the file, sorted."""
        return sorted(self._opened._clips)

    def __contains__(self, clip_id: str) -> bool:
        return self._opened._clips.exact(clip_id) is not None

    def find(self, path: str | os.PathLike) -> str | None:
        """The clip that a path means, see ``ClipNames``; None if there is none."""
        return self._opened._clips.find(path)

    def require(self, clip_id: str) -> str:
        """The name of a clip as it is in the file.

        Raises:
            DataError: If the file lacks it.
        """
        found = self._opened._clips.exact(clip_id)
        if found is None:
            known = self.clip_ids
            raise DataError(
                f'clip {clip_id}: not among the {len(known)} of {self.KIND} '
                f'{self.path} ({", ".join(known[:3])}, …); {self.LACKING}'
            )
        return found

    def shape(self, name: str) -> list[int]:
        """Shape of an array, from the file's header alone."""
        return self._opened._tensors.get_slice(name).get_shape()

    def array(self, name: str) -> np.ndarray:
        """An array as it is in the file."""
        return self._opened._tensors.get_tensor(name)


class Stored(NamedTuple):
    """An array that is read when it is written.

    Attributes:
        dtype: ``<f2`` or ``<i4``.
        shape: Its shape.
        read: Returns it.
    """

    dtype: str
    shape: Sequence[int]
    read: Callable[[], np.ndarray]

    @classmethod
    def of(cls, dtype: str, array: np.ndarray) -> Stored:
        """One that is in memory."""
        return cls(dtype, array.shape, partial(np.asarray, array))


def write_store(
    path: str | os.PathLike, metadata: Mapping[str, str], arrays: Mapping[str, Stored]
) -> None:
    """Write a store; what is at ``path`` is replaced only once all is on the disk.

    One array at a time is in memory. The same arrays give the same bytes, in whatever
    order they come.
    """
    # Larger items first: everything is aligned.
    order = sorted(arrays, key=lambda name: (-int(arrays[name].dtype[2]), name))
    header: dict[str, dict] = {'__metadata__': dict(metadata)}
    end = 0
    for name in order:
        dtype, shape, _ = arrays[name]
        start, end = end, end + np.dtype(dtype).itemsize * math.prod(shape)
        entry = dict(dtype=_DTYPES[dtype], shape=list(shape), data_offsets=[start, end])
        header[name] = entry
    encoded = json.dumps(header, ensure_ascii=False, separators=(',', ':')).encode()
    encoded += b' ' * (-len(encoded) % 8)
    with replacing(path, durable=True) as file:
        file.write(struct.pack('<Q', len(encoded)) + encoded)
        for name in order:
            file.write(arrays[name].read().astype(arrays[name].dtype).tobytes())


class Journal:
    """Append float16 arrays (N, …) of clips to a file; one process at a time.

    Args:
        path: Of the store; the journal lies beside it.
        about: What the first line says; a journal that says otherwise is refused.
        row: Shape of an array without its N.

    Attributes:
        path: Of the journal.
        clips: Where the values of each complete entry begin, and its N.

    Raises:
        DataError: If another process writes the journal, or it is about something
            else.
    """

    def __init__(self, path: Path, about: dict, row: tuple[int, ...]) -> None:
        self.path = path.with_name(f'{path.name}.journal')
        self.clips: dict[str, tuple[int, int]] = {}
        self._about, self._row = about, row
        self._file = open(self.path, 'a+b')  # noqa: SIM115  kept open
        try:
            self._lock()
            self._resume()
        except BaseException:
            self._file.close()
            raise

    def append(self, clip: str, array: np.ndarray) -> None:
        """Add a clip; on return another process can see it."""
        data = array.tobytes()
        self._write(dict(clip=clip, frames=len(array), crc=zlib.crc32(data)), data)
        self.clips[clip] = self._file.tell() - len(data), len(array)

    def stored(self) -> dict[str, Stored]:
        """All its arrays, for ``write_store``."""
        found = {}
        for clip, (start, length) in self.clips.items():
            read = partial(self._read, start, length)
            found[clip] = Stored('<f2', (length, *self._row), read)
        return found

    def _read(self, start: int, length: int) -> np.ndarray:
        self._file.seek(start)
        return np.frombuffer(self._data(length), '<f2')

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._file.closed

    def close(self, remove: bool) -> None:
        """Close it; the entries stay for the next writer unless it is removed."""
        if remove:
            self.path.unlink()
        self._file.close()

    def _data(self, length: int) -> bytes:
        """Values of a clip at the file's position; fewer if it ends before."""
        size = 2 * math.prod(self._row) * length
        left = os.fstat(self._file.fileno()).st_size - self._file.tell()
        return self._file.read(max(0, min(size, left)))

    def _write(self, line: dict, data: bytes = b'') -> None:
        self._file.write(json.dumps(line).encode() + b'\n' + data)
        self._file.flush()

    def _lock(self) -> None:
        if fcntl is None:
            return
        text = f'{self.path}: another process writes this file, write one of your own '
        text += 'and join them with tools/convert/keypoints.py'
        with explain(DataError, text, OSError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _resume(self) -> None:
        """Read the entries; cut off an incomplete last one."""
        self._file.seek(0)
        first = self._line(self._about.keys())
        if first is None:
            self._file.truncate(0)
            self._write(self._about)
            return
        if first != json.loads(json.dumps(self._about)):
            text = f'holds {first}, not {self._about}; write to another file'
            raise DataError(f'{self.path}: {text}')
        end = self._file.tell()
        while (line := self._line({'clip', 'frames', 'crc'})) is not None:
            start, length = self._file.tell(), line['frames']
            if type(length) is not int or zlib.crc32(self._data(length)) != line['crc']:
                break
            end = self._file.tell()
            self.clips[line['clip']] = start, length
        self._file.truncate(end)
        self._file.seek(end)

    def _line(self, keys: Set[str]) -> dict | None:
        """The next line; None if it is not complete."""
        text = self._file.readline(_LONGEST_LINE)
        try:
            line = json.loads(text) if text.endswith(b'\n') else None
        except (ValueError, RecursionError):
            return None
        return line if isinstance(line, dict) and line.keys() == keys else None
