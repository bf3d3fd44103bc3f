"""Read pickles as data: numbers, strings, containers, numpy arrays, torch tensors.

A pickle is a program. Here its instructions can name a few functions of numpy and
torch and nothing else; in their places stand functions that check what they are given,
so that no array is larger than its bytes in the file and no tensor leaves its storage.
Python's own unpickler, the one written in Python, is restricted, and not the one in C,
which reserves memory as a file asks for it.
"""

import gzip
import math
import os
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from io import BytesIO
from types import NoneType
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
    try:
        with open(path, 'rb') as raw:
            start = raw.read(4)
            raw.seek(0)
            if start == b'PK\x03\x04':
                raise DataError(
                    f'{path} is a zip archive of torch.save or numpy.savez, no pickle'
                )
            file = gzip.GzipFile(fileobj=raw) if start[:2] == b'\x1f\x8b' else raw
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # torch's typed storages are old
                return _Unpickler(file).load()
    except (DataError, FileNotFoundError):
        raise
    except _RefusedError as error:
        raise DataError(
            f'{path}: the pickle wants to use {error}; refused, nothing was executed. '
            'Only containers, numbers, strings, numpy arrays and torch tensors are read'
        ) from error
    except Exception as error:
        # The format has no checksum: damage surfaces as any kind of error.
        raise DataError(
            f'{path} is no pickle of primitive data, or is damaged: get it again '
            f'({type(error).__name__}: {error!s:.200})'
        ) from error


class _RefusedError(Exception):
    """The message completes 'the pickle wants to use …'."""


class _DType:
    """A dtype, whose byte order a BUILD may set later."""

    def __init__(self, code: str, *_: bool) -> None:
        if not isinstance(code, str) or len(code) > 16:
            raise _RefusedError('an unknown numpy dtype')
        self.dtype = np.dtype(code)
        # Numbers, booleans and strings: no objects, records or dates.
        if self.dtype.kind not in 'biufcSU':
            raise _RefusedError(f'a numpy array of dtype {self.dtype}')


def _array(data: bytes, dtype: _DType, shape: tuple, order: str) -> np.ndarray:
    # numpy refuses a shape of more or fewer numbers than there are bytes.
    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order).copy(order)


def _keys(keys: Sequence) -> Sequence:
    """What may be a key: to hash tuples of tuples may take forever."""
    for key in keys:
        if not isinstance(key, (str, bytes, int, float, NoneType)):
            raise _RefusedError(f'a {type(key).__name__} as a key')
    return keys


def _ordered_dict(items: Sequence[tuple] = ()) -> OrderedDict:
    keys, values = zip(*items) if items else ((), ())
    return OrderedDict(zip(_keys(keys), values))


def _storage(data: bytes) -> torch.TypedStorage:
    storage = torch.load(BytesIO(data), map_location='cpu', weights_only=True)
    if not isinstance(storage, torch.TypedStorage):
        raise _RefusedError('an unknown torch storage')
    return storage


def _tensor(
    storage: torch.TypedStorage, offset: int, size: tuple, stride: tuple, *_: Any
) -> torch.Tensor:
    # Hooks and requires_grad, which follow, are dropped. torch checks that the view
    # stays inside, if not in all versions with a huge offset; with strides of 0 it
    # could show more numbers than there are.
    flat = torch.empty(0, dtype=storage.dtype).set_(storage)
    if max(math.prod(torch.Size(size)), offset) > len(flat):
        raise _RefusedError('a torch tensor outside its storage')
    return flat.as_strided(size, stride, offset).clone()


# What a pickle may name, by its newest name, and what it gets.
_ALLOWED: dict[str, Callable] = {
    '_codecs.encode': lambda text, _: text.encode('latin-1'),
    'builtins.bytes': lambda: b'',
    'builtins.set': lambda items=(): set(_keys(items)),
    'builtins.frozenset': lambda items=(): frozenset(_keys(items)),
    'collections.OrderedDict': _ordered_dict,
    'numpy.dtype': _DType,
    'numpy.ndarray': lambda *_: None,  # only passed on
    'numpy._core.multiarray._reconstruct': lambda *_: np.empty(0, np.uint8),
    'numpy._core.multiarray.scalar': lambda t, data: _array(data, t, (1,), 'C').item(),
    'numpy._core.numeric._frombuffer': _array,
    'torch._utils._rebuild_tensor_v2': _tensor,
    'torch.Size': tuple,
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
        if function is None:
            raise _RefusedError(f'{module}.{name}'[:200])
        return function

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not any(function is allowed for allowed in _ALLOWED.values()):
            raise _RefusedError(f'a call of {type(function).__name__}')
        self.append(function(*arguments))

    def _build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is np.ndarray:
            _, shape, dtype, fortran, data = state
            made = _array(data, dtype, shape, 'F' if fortran else 'C')
            target.__setstate__((1, made.shape, made.dtype, False, made.tobytes()))
        elif isinstance(target, _DType):
            # The alignment stays numpy's own, which divides by it: a file's may be 0.
            target.dtype = target.dtype.newbyteorder(state[1])
        else:
            raise _RefusedError(f'the attributes of a {type(target).__name__}')

    def _bytearray(self) -> None:
        # The inherited one reserves the memory before it looks at the file.
        self.append(bytearray(self.read(int.from_bytes(self.read(8), 'little'))))

    def _update(self, items: list) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise _RefusedError(f'a {type(target).__name__} as a dict')
        target.update(zip(_keys(items[::2]), items[1::2]))

    def _dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._update(items)

    def _setitem(self) -> None:
        self._update([self.stack.pop(-2), self.stack.pop()])

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
