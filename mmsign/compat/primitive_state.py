"""Checkpoints as plain data: what ``torch.load(weights_only=True)`` admits.

A checkpoint of MMEngine holds its message hub, whose ``HistoryBuffer`` objects
pickle functions, and numpy scalars and arrays. Here such objects are written as
*tagged* dictionaries of tensors, numbers and strings, and rebuilt on loading:

=================  ==========================================================
object             written as ``{TAG: name, ...}``
=================  ==========================================================
HistoryBuffer      ``log_history`` and ``count_history`` (float64 and int64
                   tensors), ``max_length``
numpy.ndarray      ``dtype``, ``shape`` and ``data``, its bytes as uint8
                   tensor; arrays of strings as a nested list
bytes, set,        ``data``: uint8 tensor, list, list, two floats
frozenset, complex
=================  ==========================================================

Subclasses of plain types are written as these types; numpy scalars as Python
numbers; paths and devices as strings.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmsign.errors import CheckpointError

TAG = '__mmsign_type__'
_PLAIN = (type(None), bool, int, float, str, torch.Tensor, torch.nn.Parameter)


class NotPlainError(TypeError):
    """An object has no plain form."""


def to_primitive(
    value: Any,
    where: str = 'checkpoint',
    drop: Callable[[str, Any], bool] | None = None,
) -> Any:
    """``value`` with every object replaced by plain data.

    Containers in which nothing had to change are returned as they are, which
    keeps the version metadata that a module's state dict carries.

    Args:
        value: Any nesting of dicts, lists, tuples, sets, numbers, strings,
            tensors, numpy values and HistoryBuffers.
        where: Name of ``value`` for messages, e.g. ``"meta.dataset_meta"``.
        drop: Called with the name and the object for each object without a plain
            form; if it returns true the entry is left out of its container.

    Raises:
        NotPlainError: an object has no plain form and is not dropped.
    """
    if type(value) in _PLAIN or isinstance(value, torch.dtype):
        return value
    if isinstance(value, Mapping):
        return _plain_mapping(value, where, drop)
    if isinstance(value, (list, tuple)):
        return _plain_sequence(value, where, drop)
    if isinstance(value, (set, frozenset)):
        name = 'frozenset' if isinstance(value, frozenset) else 'set'
        return {TAG: name, 'data': _plain_sequence(list(value), where, drop)}
    return _plain_leaf(value, where)


def _plain_leaf(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        return to_primitive(value.item(), where)
    if isinstance(value, np.ndarray):
        return _plain_array(value, where)
    if isinstance(value, HistoryBuffer):
        log_history, count_history = value.data
        return {
            TAG: 'history_buffer',
            'log_history': torch.from_numpy(log_history.astype(np.float64)),
            'count_history': torch.from_numpy(count_history.astype(np.int64)),
            'max_length': int(value.max_length),
        }
    if isinstance(value, (bytes, bytearray)):
        return {TAG: 'bytes', 'data': _byte_tensor(bytes(value))}
    if isinstance(value, complex):
        return {TAG: 'complex', 'data': [value.real, value.imag]}
    if isinstance(value, torch.Tensor):
        return value.detach().as_subclass(torch.Tensor)
    if isinstance(value, (os.PathLike, torch.device)):
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    for plain in (str, bool, int, float):
        if isinstance(value, plain):
            return plain(value)
    raise NotPlainError(
        f'{where} is a {type(value).__module__}.{type(value).__qualname__}, which '
        'cannot be written to a checkpoint: use numbers, strings, containers of '
        'these, tensors or numpy arrays'
    )


def _byte_tensor(data: bytes) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy())


def _plain_array(array: np.ndarray, where: str) -> dict[str, Any]:
    tagged = {TAG: 'ndarray', 'dtype': array.dtype.str}
    if array.dtype.kind == 'U':
        return {**tagged, 'data': array.tolist()}
    if array.dtype.kind not in 'biufc':
        raise NotPlainError(
            f'{where} is a numpy array of dtype {array.dtype}; only numbers, '
            'booleans and strings can be written to a checkpoint'
        )
    return {**tagged, 'shape': list(array.shape), 'data': _byte_tensor(array.tobytes())}


def _kept(value: Any, where: str, drop: Callable[[str, Any], bool] | None) -> list[Any]:
    """``[plain value]``, or ``[]`` for an object that is dropped."""
    try:
        return [to_primitive(value, where, drop)]
    except NotPlainError:
        if drop is not None and drop(where, value):
            return []
        raise


def _plain_mapping(
    value: Mapping, where: str, drop: Callable[[str, Any], bool] | None
) -> dict:
    plain = {}
    for key, item in value.items():
        for kept in _kept(item, f'{where}.{key}', drop):
            plain[to_primitive(key, f'a key of {where}')] = kept
    exact = type(value) in (dict, OrderedDict)
    same = exact and len(plain) == len(value)
    if same and all(plain.get(key) is item for key, item in value.items()):
        return value
    if not isinstance(value, OrderedDict):
        return plain
    ordered = OrderedDict(plain)
    if hasattr(value, '_metadata'):
        ordered._metadata = to_primitive(value._metadata, f'{where}._metadata')
    return ordered


def _plain_sequence(
    value: list | tuple, where: str, drop: Callable[[str, Any], bool] | None
) -> list | tuple:
    plain = [
        kept
        for index, item in enumerate(value)
        for kept in _kept(item, f'{where}[{index}]', drop)
    ]
    same = type(value) in (list, tuple) and len(plain) == len(value)
    if same and all(new is old for new, old in zip(plain, value)):
        return value
    return plain if isinstance(value, list) else tuple(plain)


def from_primitive(value: Any) -> Any:
    """The inverse of :func:`to_primitive`: tagged dictionaries become objects again.

    Raises:
        CheckpointError: a tag is unknown (the file is from a later version).
    """
    if isinstance(value, dict):
        if TAG in value:
            return _rebuild(value)
        rebuilt = {key: from_primitive(item) for key, item in value.items()}
        if all(rebuilt[key] is item for key, item in value.items()):
            return value
        return OrderedDict(rebuilt) if isinstance(value, OrderedDict) else rebuilt
    if type(value) in (list, tuple):
        items = [from_primitive(item) for item in value]
        if all(new is old for new, old in zip(items, value)):
            return value
        return items if isinstance(value, list) else tuple(items)
    return value


def _rebuild(tagged: dict[str, Any]) -> Any:
    kind = tagged[TAG]
    if kind == 'history_buffer':
        return HistoryBuffer(
            tagged['log_history'].cpu().numpy(),
            tagged['count_history'].cpu().numpy(),
            tagged['max_length'],
        )
    if kind == 'ndarray':
        dtype = np.dtype(tagged['dtype'])
        if dtype.kind == 'U':
            return np.array(tagged['data'], dtype=dtype)
        raw = tagged['data'].cpu().numpy().tobytes()
        return np.frombuffer(raw, dtype=dtype).reshape(tagged['shape']).copy()
    if kind == 'bytes':
        return tagged['data'].cpu().numpy().tobytes()
    if kind == 'complex':
        return complex(*tagged['data'])
    if kind in ('set', 'frozenset'):
        items = from_primitive(tagged['data'])
        return set(items) if kind == 'set' else frozenset(items)
    raise CheckpointError(
        f'unknown tag {kind!r} in a checkpoint: it was written by a later mmsign'
    )
