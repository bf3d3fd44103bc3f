"""Checkpoints as primitive data: what ``torch.load(weights_only=True)`` admits.

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

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmsign.errors import CheckpointError

TAG = '__mmsign_type__'
_PRIMITIVE = type(None), bool, int, float, str, torch.Tensor, torch.nn.Parameter
# Arrays of numbers and booleans.
_NUMBERS = 'biufc'
Drop = Callable[[str, Any], bool]


class NotPlainError(TypeError):
    """An object has no primitive form."""


def to_primitive(
    value: Any, where: str = 'checkpoint', drop: Drop = lambda where, value: False
) -> Any:
    """``value`` with every object replaced by primitive data.

    Args:
        value: Any nesting of dicts, lists, tuples, sets, numbers, strings,
            tensors, numpy values and HistoryBuffers.
        where: Name of ``value`` for messages, e.g. ``"meta.dataset_meta"``.
        drop: Called with the name and the object for each object without a primitive
            form; if it returns true the entry is left out of its container.

    Raises:
        NotPlainError: an object has no primitive form and is not dropped.
    """
    if isinstance(value, Mapping):
        plain = OrderedDict() if isinstance(value, OrderedDict) else {}
        for key, item in value.items():
            for kept in _kept(item, f'{where}.{key}', drop):
                plain[to_primitive(key, f'a key of {where}')] = kept
        if hasattr(value, '_metadata'):  # the versions of a module's parts
            plain._metadata = to_primitive(value._metadata, f'{where}._metadata')
        return plain
    if isinstance(value, (list, tuple, set, frozenset)):
        entries = ((f'{where}[{index}]', item) for index, item in enumerate(value))
        items = [kept for name, item in entries for kept in _kept(item, name, drop)]
        if isinstance(value, (list, tuple)):
            return items if isinstance(value, list) else tuple(items)
        name = 'set' if isinstance(value, set) else 'frozenset'
        return {TAG: name, 'data': items}
    return _primitive_leaf(value, where)


def _kept(value: Any, where: str, drop: Drop) -> list[Any]:
    """``[primitive value]``, or ``[]`` for an object that is dropped."""
    try:
        return [to_primitive(value, where, drop)]
    except NotPlainError:
        if drop(where, value):
            return []
        raise


def _primitive_leaf(value: Any, where: str) -> Any:
    if type(value) in _PRIMITIVE or isinstance(value, torch.dtype):
        return value
    if isinstance(value, np.generic):
        return to_primitive(value.item(), where)
    if isinstance(value, np.ndarray) and value.dtype.kind in f'{_NUMBERS}U':
        tagged = {TAG: 'ndarray', 'dtype': value.dtype.str}
        if value.dtype.kind == 'U':
            return tagged | {'data': value.tolist()}
        return tagged | {'shape': list(value.shape), 'data': _bytes(value.tobytes())}
    if isinstance(value, HistoryBuffer):
        log_history, count_history = value.data
        return {
            TAG: 'history_buffer',
            'log_history': torch.from_numpy(log_history.astype(np.float64)),
            'count_history': torch.from_numpy(count_history.astype(np.int64)),
            'max_length': int(value.max_length),
        }
    if isinstance(value, (bytes, bytearray)):
        return {TAG: 'bytes', 'data': _bytes(value)}
    if isinstance(value, complex):
        return {TAG: 'complex', 'data': [value.real, value.imag]}
    if isinstance(value, torch.Tensor):
        return value.detach().as_subclass(torch.Tensor)
    if isinstance(value, (os.PathLike, torch.device)):
        return str(value)
    for plain in (str, bool, int, float):
        if isinstance(value, plain):
            return plain(value)
    kind = f'{type(value).__module__}.{type(value).__qualname__}'
    if isinstance(value, np.ndarray):
        kind += f' of dtype {value.dtype}'
    raise NotPlainError(
        f'{where} is a {kind}, which cannot be written to a checkpoint: use numbers, '
        'strings, containers of these, tensors or numpy arrays of numbers or strings'
    )


def _bytes(data: bytes) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy())


def from_primitive(value: Any) -> Any:
    """The inverse of ``to_primitive``: tagged dictionaries become objects again.

    Raises:
        CheckpointError: a tag is unknown (the file is from a later version).
    """
    if isinstance(value, dict):
        rebuilt = OrderedDict() if isinstance(value, OrderedDict) else {}
        rebuilt |= {key: from_primitive(item) for key, item in value.items()}
        if hasattr(value, '_metadata'):
            rebuilt._metadata = value._metadata
        return _rebuild(rebuilt) if TAG in value else rebuilt
    if type(value) in (list, tuple):
        return type(value)(map(from_primitive, value))
    return value


def _rebuild(tagged: dict[str, Any]) -> Any:
    kind, data = tagged[TAG], tagged.get('data')
    if kind == 'history_buffer':
        names = 'log_history', 'count_history'
        histories = (tagged[name].cpu().numpy() for name in names)
        return HistoryBuffer(*histories, tagged['max_length'])
    if kind == 'ndarray':
        dtype = np.dtype(tagged['dtype'])
        if dtype.kind == 'U':
            return np.array(data, dtype=dtype)
        raw = np.frombuffer(data.cpu().numpy().tobytes(), dtype=dtype)
        return raw.reshape(tagged['shape']).copy()
    if kind == 'bytes':
        return data.cpu().numpy().tobytes()
    if kind == 'complex':
        return complex(*data)
    if kind in ('set', 'frozenset'):
        return set(data) if kind == 'set' else frozenset(data)
    raise CheckpointError(
        f'unknown tag {kind!r} in a checkpoint: it was written by a later mmsign'
    )
