"""Read pickles as data: numbers, strings, containers, numpy arrays, torch tensors.

A pickle is a program. Here its instructions can name a few functions of numpy and
torch and nothing else; in their places stand functions that check what they are given,
so that no array is larger than its bytes in the file and no tensor leaves its storage.
Python's own unpickler, the one written in Python, is restricted, and not the one in C,
which reserves memory as a file asks for it.
"""

from __future__ import annotations

import gzip
import math
import os
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from types import FunctionType, NoneType
from typing import Any, BinaryIO

import numpy as np
import torch

from mmsign.errors import DataError

_CHUNK = 1 << 24  # bytes that are read at once


def read_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle, gzip-compressed or not, without executing anything from it.

    Returns:
        A nesting of dicts, lists, tuples, sets, strings, bytes, numbers, None,
        numpy arrays of numbers or strings, and torch tensors on the CPU. numpy
        scalars come as Python numbers. Keys are strings, bytes, numbers or None.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming the file, and the class or function if it needs another;
            or if it is truncated or no pickle.

    Examples:
        >>> import pickle, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), 'clips.pkl')
        >>> _ = path.write_bytes(pickle.dumps({'frames': np.arange(3)}))
        >>> read_pickle(path)
        {'frames': array([0, 1, 2])}
    """
    name = os.fspath(path)
    try:
        with open(name, 'rb') as raw:
            start = raw.read(4)
            raw.seek(0)
            if start == b'PK\x03\x04':
                raise DataError(
                    f'{name} is a zip archive, as torch.save and numpy.savez write '
                    'them, not a pickle; load it and write its content by pickle.dump'
                )
            zipped = start.startswith(b'\x1f\x8b')
            return _Unpickler(gzip.GzipFile(fileobj=raw) if zipped else raw).load()
    except (DataError, FileNotFoundError):
        raise
    except _RefusedError as error:
        raise DataError(
            f'{name}: the pickle wants to use {error}; refused, nothing of it was '
            'executed. Only containers, numbers, strings, numpy arrays (not of '
            'objects) and torch tensors are read'
        ) from error
    except Exception as error:
        # The format has no checksum: damage surfaces as any kind of error.
        detail = f'{type(error).__name__}: {error}'[:200]
        raise DataError(
            f'{name} is no pickle of primitive data, or is damaged ({detail}); get the '
            'file again from where it was published'
        ) from error


class _RefusedError(Exception):
    """The message completes 'the pickle wants to use …'."""


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise _RefusedError(what)


class _DType:
    """A dtype, whose byte order a BUILD may set later."""

    def __init__(self, code: str) -> None:
        _require(isinstance(code, str) and len(code) < 16, 'an unknown numpy dtype')
        self.dtype = np.dtype(code)
        # Numbers, booleans and strings: no objects, records or dates.
        allowed = self.dtype.kind in 'biufcSU'
        _require(allowed, f'a numpy array of dtype {self.dtype}')

    def set_state(self, state: Any) -> None:
        simple = (
            type(state) is tuple
            and len(state) == 8
            and state[1] in ('<', '>', '=', '|')
            and state[2:5] == (None, None, None)
            and state[5] in (-1, self.dtype.itemsize)
        )
        _require(simple, 'a numpy dtype with fields')
        # The alignment is numpy's own: it divides by that of a file, which may be 0.
        self.dtype = self.dtype.newbyteorder(state[1])


def _array_dtype(data: Any, dtype: Any, shape: Any) -> np.dtype:
    """The dtype of an array, if it has as many numbers as there are bytes."""
    _require(isinstance(dtype, _DType), 'a numpy array without a dtype')
    _require(isinstance(data, (bytes, bytearray)), 'a numpy array of objects')
    sides = type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape)
    _require(sides and len(shape) <= 32, 'a numpy array of unknown shape')
    _require(
        math.prod(shape) * dtype.dtype.itemsize == len(data),
        f'a numpy array of shape {shape} in {len(data)} bytes',
    )
    return dtype.dtype


def _empty_array(*_: Any) -> np.ndarray:
    return np.empty(0, np.uint8)


def _set_array_state(array: np.ndarray, state: Any) -> None:
    _, shape, dtype, fortran, data = state
    dtype = _array_dtype(data, dtype, shape)
    array.__setstate__((1, shape, dtype, bool(fortran), bytes(data)))


def _array(data: Any, dtype: _DType, shape: tuple, order: str) -> np.ndarray:
    _require(order in ('C', 'F'), 'a numpy array of unknown order')
    flat = np.frombuffer(data, _array_dtype(data, dtype, shape))
    return flat.reshape(shape, order=order).copy(order)


def _scalar(dtype: _DType, data: bytes) -> Any:
    return np.frombuffer(data, _array_dtype(data, dtype, ()))[0].item()


def _keys(keys: Sequence) -> Sequence:
    """What may be a key: to hash tuples of tuples may take forever."""
    _require(isinstance(keys, (list, tuple)), f'a {type(keys).__name__} of keys')
    for key in keys:
        if not isinstance(key, (str, bytes, int, float, NoneType)):
            raise _RefusedError(f'a {type(key).__name__} as a key')
    return keys


def _ordered_dict(items: Iterable[tuple] = ()) -> OrderedDict:
    keys, values = zip(*items) if items else ((), ())
    return OrderedDict(zip(_keys(keys), values))


def _storage(data: bytes) -> torch.TypedStorage:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # typed storages are deprecated
        try:
            storage = torch.load(BytesIO(data), map_location='cpu', weights_only=True)
        except Exception as error:
            raise _RefusedError(
                'a torch storage that does not load under weights_only'
            ) from error
    _require(isinstance(storage, torch.TypedStorage), 'an unknown torch storage')
    return storage


def _tensor(storage: Any, offset: int, size: tuple, stride: tuple, *_) -> torch.Tensor:
    # Hooks and requires_grad, which follow, are dropped, and the view is copied.
    _require(isinstance(storage, torch.TypedStorage), 'an unknown torch tensor')
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        # A stride of 0 shows one number many times: never more than there are.
        inside = min(offset, *size, *stride, 0) >= 0 and (
            0 in size or last < len(storage) >= math.prod(size)
        )
        _require(inside, 'a torch tensor outside its storage')
        empty = torch.empty(0, dtype=storage.dtype)
        return empty.set_(storage, offset, tuple(size), tuple(stride)).clone()


# What a pickle may name, by its newest name, and what it gets.
_ALLOWED: dict[str, Callable] = {
    '_codecs.encode': lambda text, _: text.encode('latin-1'),
    'builtins.bytes': lambda: b'',
    'builtins.set': lambda items=(): set(_keys(items)),
    'builtins.frozenset': lambda items=(): frozenset(_keys(items)),
    'collections.OrderedDict': _ordered_dict,
    'numpy.dtype': lambda code, *_: _DType(code),
    'numpy.ndarray': _empty_array,  # only passed on
    'numpy._core.multiarray._reconstruct': _empty_array,
    'numpy._core.multiarray.scalar': _scalar,
    'numpy._core.numeric._frombuffer': _array,
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch.Size': lambda sizes: tuple(sizes),
    'torch.storage._load_from_bytes': _storage,
}
_RENAMED = {
    '__builtin__': 'builtins',
    'numpy.core.multiarray': 'numpy._core.multiarray',
    'numpy.core.numeric': 'numpy._core.numeric',
}
# Instructions that make objects in other ways than by REDUCE and BUILD.
_REFUSED_CODES = (
    (pickle.INST + pickle.OBJ + pickle.NEWOBJ + pickle.NEWOBJ_EX)
    + (pickle.EXT1 + pickle.EXT2 + pickle.EXT4 + pickle.PERSID + pickle.BINPERSID)
    + (pickle.NEXT_BUFFER + pickle.READONLY_BUFFER)
)


class _Unpickler(pickle._Unpickler):
    """Python's unpickler without calls of anything but what ``_ALLOWED`` holds."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._whole_file_read, self._file_read = self._file_read, self._read_pieces

    def _read_pieces(self, size: int) -> bytes:
        # Memory is taken as bytes come, not as the file asks for it. Where bytes are
        # missing at the end, so is the instruction that ends every pickle.
        data = b''
        while piece := self._whole_file_read(min(size - len(data), _CHUNK)):
            data += piece
        return data

    def find_class(self, module: str, name: str) -> Callable:
        function = _ALLOWED.get(f'{_RENAMED.get(module, module)}.{name}')
        _require(function is not None, f'{module}.{name}'[:200])
        return function

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        # No instruction makes a function: it is one of find_class.
        called = type(function) is FunctionType and type(arguments) is tuple
        _require(called, f'a call of {type(function).__name__}')
        self.append(function(*arguments))

    def _build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, _DType):
            target.set_state(state)
        else:
            what = f'the attributes of a {type(target).__name__}'
            _require(type(target) is np.ndarray, what)
            _set_array_state(target, state)

    def _bytearray(self) -> None:
        # The inherited one reserves the memory before it looks at the file.
        self.append(bytearray(self.read(int.from_bytes(self.read(8), 'little'))))

    def _update(self, items: list) -> None:
        target = self.stack[-1]
        _require(isinstance(target, dict), f'a {type(target).__name__} as a dict')
        target.update(zip(_keys(items[::2]), items[1::2]))

    def _dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._update(items)

    def _setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _setitems(self) -> None:
        self._update(self.pop_mark())

    def _additems(self) -> None:
        items = self.pop_mark()
        self.stack[-1].update(set(_keys(items)))

    def _frozenset(self) -> None:
        items = self.pop_mark()
        self.append(frozenset(_keys(items)))

    def _refuse(self) -> None:
        raise _RefusedError('an object made by other means than a call')

    dispatch = pickle._Unpickler.dispatch | {
        pickle.REDUCE[0]: _reduce,
        pickle.BUILD[0]: _build,
        pickle.BYTEARRAY8[0]: _bytearray,
        pickle.DICT[0]: _dict,
        pickle.SETITEM[0]: _setitem,
        pickle.SETITEMS[0]: _setitems,
        pickle.ADDITEMS[0]: _additems,
        pickle.FROZENSET[0]: _frozenset,
    }
    dispatch |= dict.fromkeys(_REFUSED_CODES, _refuse)
