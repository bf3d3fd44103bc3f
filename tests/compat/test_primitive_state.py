from __future__ import annotations

import enum
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from properties import examples

from mmsign.compat.primitive_state import (
    TAG,
    NotPlainError,
    from_primitive,
    to_primitive,
)
from mmsign.errors import CheckpointError

DTYPES = ['?', 'u1', 'i2', 'i4', 'i8', 'u8', 'f2', 'f4', 'f8', 'c8', '>f4', '<U5']

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.complex_numbers(allow_nan=False),
    st.frozensets(st.integers(0, 9), max_size=3),
)
TREES = st.recursive(
    LEAVES,
    lambda child: st.one_of(
        st.lists(child, max_size=3),
        st.tuples(child, child),
        st.dictionaries(st.text(max_size=3), child, max_size=3),
    ),
    max_leaves=8,
)


def through_file(value, tmp_path):
    """``value`` written plainly and read with weights_only."""
    path = tmp_path / 'state.pth'
    torch.save(to_primitive(value), path)
    return from_primitive(torch.load(path, weights_only=True))


@pytest.mark.slow
@examples(60)
@given(TREES)
def test_plain_values_survive(tree):
    assert from_primitive(to_primitive(tree)) == tree


@examples(25)
@given(tree=TREES)
def test_plain_values_survive_a_file(tree, tmp_path_factory):
    assert through_file(tree, tmp_path_factory.mktemp('tree')) == tree


@pytest.mark.parametrize('dtype', DTYPES)
def test_arrays_survive_with_dtype_and_shape(dtype, tmp_path):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    restored = through_file({'a': array}, tmp_path)['a']
    assert restored.dtype == array.dtype
    np.testing.assert_array_equal(restored, array)
    restored[0, 0] = restored[1, 1]  # writable


def test_empty_and_scalar_arrays_survive(tmp_path):
    for array in (np.zeros((0, 3)), np.array(7.5), np.zeros(0, dtype='U1')):
        restored = through_file(array, tmp_path)
        assert restored.shape == array.shape and restored.dtype == array.dtype


def test_history_buffer_goes_on_where_it_was(tmp_path):
    buffer = HistoryBuffer([1.0, 3.0], [1, 2], max_length=3)
    restored = through_file(buffer, tmp_path)
    for history in (buffer, restored):
        history.update(5.0, 1)
        history.update(7.0, 1)
    np.testing.assert_array_equal(restored.data[0], [3.0, 5.0, 7.0])
    np.testing.assert_array_equal(restored.data[1], [2, 1, 1])
    assert restored.mean(2) == buffer.mean(2)


def test_subclasses_become_plain_types():
    class Level(enum.IntEnum):
        HIGH = 3

    Point = namedtuple('Point', 'x y')
    plain = to_primitive(
        {
            'numpy': np.float32(0.5),
            'enum': Level.HIGH,
            'point': Point(np.int64(1), 2),
            'config': ConfigDict(a=ConfigDict(b=np.bool_(True))),
            'path': Path('a/b'),
            'device': torch.device('cpu'),
            'str': np.str_('x'),
        }
    )
    assert plain == {
        'numpy': 0.5,
        'enum': 3,
        'point': (1, 2),
        'config': {'a': {'b': True}},
        'path': 'a/b',
        'device': 'cpu',
        'str': 'x',
    }
    assert type(plain['enum']) is int and type(plain['point']) is tuple
    assert type(plain['config']['a']) is dict and type(plain['str']) is str


def test_tensors_are_not_copied():
    state = torch.nn.Linear(2, 2).state_dict()
    for plain in (to_primitive(state), from_primitive(state)):
        assert all(plain[key] is value for key, value in state.items())


def test_a_state_dict_keeps_its_version_metadata():
    state = torch.nn.BatchNorm1d(2).state_dict()
    state['extra'] = np.float64(1.0)
    for plain in (to_primitive(state), from_primitive(to_primitive(state))):
        assert isinstance(plain, OrderedDict)
        assert plain._metadata[''] == {'version': 2}


def test_an_odd_object_is_named():
    with pytest.raises(NotPlainError, match=r'checkpoint\.meta\.hooks\[1\] .*Odd'):
        to_primitive({'meta': {'hooks': [1, Odd()]}})


class Odd:
    pass


def test_object_arrays_are_refused():
    with pytest.raises(NotPlainError, match='object'):
        to_primitive({'a': np.array([{}, None], dtype=object)})


def test_dropped_objects_leave_the_rest():
    dropped = []

    def drop(where, value):
        dropped.append(where)
        return True

    plain = to_primitive({'a': {'f': print, 'x': 1}, 'b': [2, print]}, drop=drop)
    assert plain == {'a': {'x': 1}, 'b': [2]}
    assert dropped == ['checkpoint.a.f', 'checkpoint.b[1]']


def test_an_unknown_tag_is_an_error():
    with pytest.raises(CheckpointError, match='hologram'):
        from_primitive({'x': {TAG: 'hologram'}})
