"""What a pickle of plain data may call: stand-ins for numpy's and torch's functions.

Each checks its arguments, so that no array is larger than the bytes in the file and
no view leaves its storage. ``BUILD``, which sets an object's state, is admitted for
numpy's arrays and dtypes alone.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import torch

# Numbers, booleans and strings: no objects ('O'), records ('V') or dates.
_KINDS = 'biufcSU'
_NDARRAY = 'numpy.ndarray'  # stands for the class, which is only passed on


class NotPlainError(Exception):
    """What a stand-in refuses; the message completes 'the pickle wants to use …'."""


class StandIn:
    """A function that a pickle may call.

    Args:
        build: The function itself, kept out of reach of the other instructions.
    """

    __slots__ = ('build',)

    def __init__(self, build: Callable) -> None:
        self.build = build


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise NotPlainError(what)


def check_keys(keys: Iterable[Any]) -> None:
    """Admit strings, bytes and numbers as keys of dicts and members of sets.

    To hash tuples of tuples may take forever.

    Raises:
        NotPlainError: If one is anything else.
    """
    for key in keys:
        if not isinstance(key, (str, bytes, int, float, type(None))):
            raise NotPlainError(f'a {type(key).__name__} as a key')


def _set(items: Sequence = ()) -> set:
    _require(isinstance(items, (list, tuple)), 'an unknown set')
    check_keys(items)
    return set(items)


def _ordered_dict(items: Sequence = ()) -> OrderedDict:
    _require(isinstance(items, (list, tuple)), 'an unknown OrderedDict')
    check_keys(key for key, _ in items)
    return OrderedDict(items)


def _dtype(code: str, *_align_and_copy: bool) -> np.dtype:
    _require(isinstance(code, str) and len(code) < 16, 'an unknown numpy dtype')
    dtype = np.dtype(code)
    _require(dtype.kind in _KINDS, f'a numpy array of dtype {dtype}')
    # A copy: BUILD sets its byte order.
    return np.dtype(dtype, copy=True)


def set_dtype_state(dtype: np.dtype, state: Any) -> None:
    """Set the byte order of a dtype that ``_dtype`` made.

    Raises:
        NotPlainError: If the state is that of another kind of dtype.
    """
    plain = (
        type(state) is tuple
        and len(state) == 8
        and state[1] in ('<', '>', '=', '|')
        and state[2:5] == (None, None, None)
        and state[5] in (-1, dtype.itemsize)
    )
    _require(plain, 'a numpy dtype with fields')
    # Simple dtypes have one instance each in numpy; never change that one.
    _require(dtype is not np.dtype(dtype.str), 'a numpy dtype that is shared')
    # numpy divides by the alignment: that of the file, which may be 0, is not taken.
    size = (dtype.itemsize, dtype.alignment) if dtype.kind in 'SU' else (-1, -1)
    dtype.__setstate__((3, state[1], None, None, None, *size, 0))


def _check_size(shape: Any, dtype: Any, data: Any) -> None:
    _require(isinstance(dtype, np.dtype), 'a numpy array without a dtype')
    _require(isinstance(data, (bytes, bytearray)), 'a numpy array of objects')
    sides = type(shape) is tuple and all(type(s) is int and s >= 0 for s in shape)
    _require(sides and len(shape) <= 32, 'a numpy array of unknown shape')
    _require(
        math.prod(shape) * dtype.itemsize == len(data),
        f'a numpy array of shape {shape} in {len(data)} bytes',
    )


def _empty_array(_cls: str, _shape: tuple, _code: bytes) -> np.ndarray:
    return np.empty(0, np.uint8)


def set_array_state(array: np.ndarray, state: Any) -> None:
    """Fill an array that ``_empty_array`` made.

    Raises:
        NotPlainError: If shape, dtype and data do not belong together.
    """
    _require(type(state) is tuple and len(state) == 5, 'an unknown numpy array')
    _version, shape, dtype, fortran, data = state
    _check_size(shape, dtype, data)
    array.__setstate__((1, shape, dtype, bool(fortran), bytes(data)))


def _array_from_buffer(
    data: bytes, dtype: np.dtype, shape: tuple, order: str
) -> np.ndarray:
    _check_size(shape, dtype, data)
    _require(order in ('C', 'F'), 'a numpy array of unknown order')
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy()


def _scalar(dtype: np.dtype, data: bytes) -> Any:
    _check_size((), dtype, data)
    return np.frombuffer(data, dtype)[0].item()


def _encode(text: str, encoding: str) -> bytes:
    _require(encoding in ('latin1', 'latin-1'), f'the encoding {encoding}')
    return text.encode('latin-1')


def _storage(data: bytes) -> Any:
    _require(isinstance(data, bytes), 'an unknown torch storage')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # typed storages are deprecated
        try:
            storage = torch.load(BytesIO(data), map_location='cpu', weights_only=True)
        except Exception as error:
            raise NotPlainError(
                'a torch storage that does not load under weights_only'
            ) from error
    known = isinstance(storage, (torch.UntypedStorage, torch.TypedStorage))
    _require(known, 'an unknown torch storage')
    return storage


def _tensor(storage: Any, offset: int, size: tuple, stride: tuple, *_) -> torch.Tensor:
    _require(isinstance(storage, torch.TypedStorage), 'an unknown torch tensor')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        # torch checks that the view stays inside the storage. Only plain values
        # leave here: hooks and requires_grad are dropped, the view is copied.
        view = torch.empty(0, dtype=storage.dtype)
        span = offset + sum((n - 1) * s for n, s in zip(size, stride)) + 1
        inside = min((offset, *size, *stride)) >= 0 and (
            0 in size or span <= len(storage)
        )
        _require(inside, 'a torch tensor outside its storage')
        view = view.set_(storage, offset, tuple(size), tuple(stride))
    # A stride of 0 shows one number many times: never more than the storage holds.
    _require(view.numel() <= len(storage), 'a torch tensor outside its storage')
    return view.clone()


# By the full name in the pickle.
STAND_INS: dict[str, Any] = {
    'numpy.ndarray': _NDARRAY,
    'numpy.dtype': StandIn(_dtype),
    '_codecs.encode': StandIn(_encode),
    'collections.OrderedDict': StandIn(_ordered_dict),
    'torch._utils._rebuild_tensor_v2': StandIn(_tensor),
    'torch.Size': StandIn(tuple),
    'torch.storage._load_from_bytes': StandIn(_storage),
}
for _builtins in ('builtins', '__builtin__'):
    STAND_INS[f'{_builtins}.bytes'] = StandIn(lambda: b'')
    STAND_INS[f'{_builtins}.set'] = StandIn(_set)
    STAND_INS[f'{_builtins}.frozenset'] = StandIn(
        lambda items=(): frozenset(_set(items))
    )
for _core in ('numpy.core', 'numpy._core'):  # before and since numpy 2
    STAND_INS[f'{_core}.multiarray._reconstruct'] = StandIn(_empty_array)
    STAND_INS[f'{_core}.multiarray.scalar'] = StandIn(_scalar)
    STAND_INS[f'{_core}.numeric._frombuffer'] = StandIn(_array_from_buffer)
