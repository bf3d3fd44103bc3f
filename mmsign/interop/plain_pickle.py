"""Read pickles as data: numbers, strings, containers, numpy arrays, tensors.

A pickle is a program: its REDUCE instruction calls whatever the file names. Here
that instruction is obeyed only for the functions in ``plain_pickle_parts``, which
stand in for those that numpy and torch name in the pickles of arrays and tensors,
and check what they are given. Everything else is refused before anything is called.
Python's own interpreter of the format, written in Python, is used and not the one in
C, which reserves memory as a file asks for it.
"""

from __future__ import annotations

import gzip
import os
import pickle
from typing import Any, BinaryIO

import numpy as np

from mmsign.errors import DataError

from .plain_pickle_parts import (
    STAND_INS,
    NotPlainError,
    StandIn,
    check_keys,
    set_array_state,
    set_dtype_state,
)

_GZIP = b'\x1f\x8b'
_ZIP = b'PK\x03\x04'
_CHUNK = 1 << 24  # bytes that are read at once
_LINE = 1 << 16  # longest line of a text instruction in bytes


def read_plain_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle, gzip-compressed or not, without executing anything from it.

    Args:
        path: Of the file.

    Returns:
        A nesting of dicts, lists, tuples, sets, strings, bytes, numbers, None,
        numpy arrays of numbers or strings, and torch tensors on the CPU. numpy
        scalars come as Python numbers.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, and the class or function if it holds
            one that is not plain data; or if it is truncated or no pickle.
    """
    name = os.fspath(path)
    try:
        with open(name, 'rb') as raw:
            start = raw.read(4)
            if start == _ZIP:
                raise DataError(
                    f'{name} is a zip archive, as torch.save and numpy.savez write '
                    'them, not a pickle; load it and write its content by pickle.dump'
                )
            zipped = start.startswith(_GZIP)
            raw.seek(0)
            file = gzip.GzipFile(fileobj=raw) if zipped else raw
            return _PlainUnpickler(file, name).load()
    except (DataError, FileNotFoundError):
        raise
    except Exception as error:
        # The format has no checksum: damage surfaces as any kind of error.
        detail = f'{type(error).__name__}: {error}'[:200]
        raise DataError(
            f'{name} is no pickle of plain data, or is damaged ({detail}); get the '
            'file again from where it was published'
        ) from error


class _Exact:
    """A file that returns as many bytes as asked for, or fails.

    Args:
        file: Opened for reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, read piece by piece."""
        parts, left = [], size
        while left > 0:
            part = self._file.read(min(left, _CHUNK))
            if not part:
                raise EOFError(f'{left} bytes are missing at the end')
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b''.join(parts)

    def readline(self) -> bytes:
        """The next line."""
        line = self._file.readline(_LINE)
        if not line.endswith(b'\n'):
            raise EOFError('a line is not ended')
        return line


class _PlainUnpickler(pickle._Unpickler):
    """Python's unpickler, reduced to plain data.

    Args:
        file: The pickle.
        name: Of the file, for errors.
    """

    # Instructions that make objects in other ways than by REDUCE and BUILD.
    _REFUSED = (
        pickle.INST,
        pickle.OBJ,
        pickle.NEWOBJ,
        pickle.NEWOBJ_EX,
        pickle.EXT1,
        pickle.EXT2,
        pickle.EXT4,
        pickle.PERSID,
        pickle.BINPERSID,
        pickle.NEXT_BUFFER,
        pickle.READONLY_BUFFER,
    )
    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(_Exact(file))
        self.name = name

    def find_class(self, module: str, name: str) -> Any:
        """What stands in for a name that the file wants imported."""
        stand_in = STAND_INS.get(f'{module}.{name}')
        if stand_in is None:
            raise self._refusal(f'{module}.{name}'[:200])
        return stand_in

    def _refusal(self, what: str) -> DataError:
        return DataError(
            f'{self.name}: the pickle wants to use {what}, which is no plain data; '
            'refused, nothing of it was executed. Only containers, numbers, strings, '
            'numpy arrays (not of objects) and torch tensors are read'
        )

    def _load_reduce(self) -> None:
        arguments = self.stack.pop()
        function = self.stack[-1]
        if not isinstance(function, StandIn) or type(arguments) is not tuple:
            raise self._refusal(f'a call of {type(function).__name__}')
        try:
            self.stack[-1] = function.build(*arguments)
        except NotPlainError as error:
            raise self._refusal(str(error)) from error

    def _load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        try:
            if isinstance(target, np.dtype):
                set_dtype_state(target, state)
            elif type(target) is np.ndarray:
                set_array_state(target, state)
            else:
                raise NotPlainError(f'the attributes of a {type(target).__name__}')
        except NotPlainError as error:
            raise self._refusal(str(error)) from error

    def _load_bytearray(self) -> None:
        # The inherited one reserves the memory before it looks at the file.
        (size,) = np.frombuffer(self.read(8), '<u8').tolist()
        self.append(bytearray(self.read(size)))

    def _put(self, target: Any, items: list) -> None:
        if not isinstance(target, dict):
            raise self._refusal(f'a {type(target).__name__} as a dict')
        self._check_keys(items[::2])
        target.update(zip(items[::2], items[1::2]))

    def _check_keys(self, keys: list) -> None:
        try:
            check_keys(keys)
        except NotPlainError as error:
            raise self._refusal(str(error)) from error

    def _load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._put(self.stack[-1], items)

    def _load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._put(self.stack[-1], [key, value])

    def _load_setitems(self) -> None:
        items = self.pop_mark()
        self._put(self.stack[-1], items)

    def _load_additems(self) -> None:
        items = self.pop_mark()
        self._check_keys(items)
        self.stack[-1].update(set(items))

    def _load_frozenset(self) -> None:
        items = self.pop_mark()
        self._check_keys(items)
        self.append(frozenset(items))

    def _load_refused(self) -> None:
        raise self._refusal('an object made by other means than a call')

    dispatch[pickle.REDUCE[0]] = _load_reduce
    dispatch[pickle.BUILD[0]] = _load_build
    dispatch[pickle.BYTEARRAY8[0]] = _load_bytearray
    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.SETITEM[0]] = _load_setitem
    dispatch[pickle.SETITEMS[0]] = _load_setitems
    dispatch[pickle.ADDITEMS[0]] = _load_additems
    dispatch[pickle.FROZENSET[0]] = _load_frozenset
    for _code in _REFUSED:
        dispatch[_code[0]] = _load_refused
