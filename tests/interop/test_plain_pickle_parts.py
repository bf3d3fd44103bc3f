from __future__ import annotations

import math
import warnings
from itertools import product

import numpy as np
import pytest
import torch

from mmsign.interop.plain_pickle_parts import (
    STAND_INS,
    NotPlainError,
    StandIn,
    check_keys,
    set_array_state,
    set_dtype_state,
)

DTYPE = (3, '>', None, None, None, -1, -1, 0)


def call(name: str, *arguments):
    return STAND_INS[name].build(*arguments)


def storage(numbers) -> torch.TypedStorage:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # typed storages are deprecated
        return torch.as_tensor(numbers, dtype=torch.float32).storage()


def test_nothing_else_may_be_named():
    assert set(STAND_INS) == {
        '__builtin__.bytes',
        '__builtin__.frozenset',
        '__builtin__.set',
        '_codecs.encode',
        'builtins.bytes',
        'builtins.frozenset',
        'builtins.set',
        'collections.OrderedDict',
        'numpy._core.multiarray._reconstruct',
        'numpy._core.multiarray.scalar',
        'numpy._core.numeric._frombuffer',
        'numpy.core.multiarray._reconstruct',
        'numpy.core.multiarray.scalar',
        'numpy.core.numeric._frombuffer',
        'numpy.dtype',
        'numpy.ndarray',
        'torch.Size',
        'torch._utils._rebuild_tensor_v2',
        'torch.storage._load_from_bytes',
    }
    # The class of arrays is passed on by name and can do nothing.
    others = {name: x for name, x in STAND_INS.items() if not isinstance(x, StandIn)}
    assert others == {'numpy.ndarray': 'numpy.ndarray'}
    with pytest.raises(AttributeError):
        STAND_INS['numpy.dtype'].other = print


def test_keys_that_hash_in_no_time():
    check_keys(['a', b'b', 1, 2.5, True, None])
    for key in ((), (1, 2), frozenset(), np.float64, object()):
        with pytest.raises(NotPlainError, match=f'a {type(key).__name__} as a key'):
            check_keys(['a', key])


def test_containers():
    assert call('builtins.set', [1, 2, 1]) == {1, 2}
    assert call('__builtin__.frozenset', (1,)) == frozenset([1])
    assert call('builtins.set') == set() and call('builtins.bytes') == b''
    ordered = call('collections.OrderedDict', [('b', 1), ('a', 2)])
    assert list(ordered.items()) == [('b', 1), ('a', 2)]
    for name in ('builtins.set', 'builtins.frozenset'):
        with pytest.raises(NotPlainError, match='a tuple as a key'):
            call(name, [(1, 2)])
        with pytest.raises(NotPlainError, match='an unknown set'):
            call(name, 'abc')
    with pytest.raises(NotPlainError, match='an unknown OrderedDict'):
        call('collections.OrderedDict', {'a': 1})


def test_bytes_of_old_protocols():
    assert call('_codecs.encode', '\x00ÿ', 'latin1') == b'\x00\xff'
    with pytest.raises(NotPlainError, match='the encoding rot13'):
        call('_codecs.encode', 'abc', 'rot13')


@pytest.mark.parametrize('code', ['>f4', '<i8', '>c16', '>U2', '|S3', '|b1', '|u1'])
def test_dtypes_of_numbers_and_strings(code):
    expected = np.dtype(code)
    _, arguments, state = expected.__reduce__()  # as numpy writes it
    dtype = call('numpy.dtype', *arguments)
    set_dtype_state(dtype, state)
    assert dtype == expected and dtype is not expected
    assert np.dtype(arguments[0]).isnative  # numpy's own is not changed


@pytest.mark.parametrize('code', ['S3', 'U2'])
@pytest.mark.parametrize('alignment', [0, -1, 3, 2**40])
def test_strings_are_aligned_as_numpy_aligns_them(code, alignment):
    """With 0 numpy divides by zero when it compares two such arrays."""
    dtype = call('numpy.dtype', code, False, True)
    size = dtype.itemsize
    set_dtype_state(dtype, (3, '<', None, None, None, size, alignment, 0))
    assert dtype.alignment == np.dtype(code).alignment
    array = np.empty(0, np.uint8)
    set_array_state(array, (1, (4,), dtype, False, bytes(4 * size)))
    assert (array == array[::-1].copy()).all()


def test_dtypes_that_are_refused():
    for code in ('O', 'V8', 'M8[D]', 'm8', 'f4,i4'):
        with pytest.raises(NotPlainError, match='a numpy array of dtype'):
            call('numpy.dtype', code)
    for code in ('f4' + ',f4' * 9, 7, np.float32):
        with pytest.raises(NotPlainError, match='an unknown numpy dtype'):
            call('numpy.dtype', code)
    own = call('numpy.dtype', 'f4')
    for place, value in ((1, '!'), (2, 'f4'), (3, ('a',)), (4, {'a': own}), (5, 9)):
        state = (*DTYPE[:place], value, *DTYPE[place + 1 :])
        with pytest.raises(NotPlainError, match='a numpy dtype with fields'):
            set_dtype_state(own, state)
    for state in (DTYPE[:7], list(DTYPE), None):
        with pytest.raises(NotPlainError, match='a numpy dtype with fields'):
            set_dtype_state(own, state)
    with pytest.raises(NotPlainError, match='a numpy dtype that is shared'):
        set_dtype_state(np.dtype('f4'), DTYPE)


@pytest.mark.parametrize('order', ['C', 'F'])
def test_arrays_in_both_ways_of_writing_them(order):
    expected = np.arange(6, dtype='<i2').reshape(2, 3, order=order)
    data, dtype = expected.tobytes(order), expected.dtype
    found = call('numpy._core.numeric._frombuffer', data, dtype, (2, 3), order)
    empty = call('numpy.core.multiarray._reconstruct', 'numpy.ndarray', (0,), b'b')
    set_array_state(empty, (1, (2, 3), dtype, order == 'F', data))
    for array in (found, empty):
        np.testing.assert_array_equal(array, expected)
        array[0, 0] = 7  # it is nobody else's memory
    assert call('numpy._core.multiarray.scalar', np.dtype('<i2'), b'\x02\x01') == 258


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ((2, 2), r'shape \(2, 2\) in 24 bytes'),
        ((7,), r'shape \(7,\) in 24 bytes'),
        ((2**62, 2**62), 'in 24 bytes'),
        ((-2, -3), 'of unknown shape'),
        ((2.0, 3), 'of unknown shape'),
        ([2, 3], 'of unknown shape'),
        ((6, *[1] * 32), 'of unknown shape'),
    ],
)
def test_an_array_has_as_many_numbers_as_there_are_bytes(shape, message):
    data, dtype = bytes(24), np.dtype('f4')
    array = np.empty(0, np.uint8)
    with pytest.raises(NotPlainError, match=message):
        call('numpy._core.numeric._frombuffer', data, dtype, shape, 'C')
    with pytest.raises(NotPlainError, match=message):
        set_array_state(array, (1, shape, dtype, False, data))
    assert array.shape == (0,)


def test_arrays_of_something_else():
    array, dtype = np.empty(0, np.uint8), np.dtype('f4')
    for state, message in (
        ((1, (1,), dtype, False, [None]), 'a numpy array of objects'),
        ((1, (1,), 'f4', False, bytes(4)), 'a numpy array without a dtype'),
        ((1, (1,), dtype, bytes(4)), 'an unknown numpy array'),
    ):
        with pytest.raises(NotPlainError, match=message):
            set_array_state(array, state)
    with pytest.raises(NotPlainError, match='of unknown order'):
        call('numpy._core.numeric._frombuffer', bytes(4), dtype, (1,), 'K')
    with pytest.raises(NotPlainError, match=r'shape \(\) in 8 bytes'):
        call('numpy._core.multiarray.scalar', dtype, bytes(8))


def test_a_tensor_shows_its_storage_and_nothing_beside_it():
    """Every view of two dimensions against the places that it would read."""
    numbers = torch.arange(4.0)
    allowed = 0
    for offset, rows, columns, *stride in product(range(-1, 6), *[range(-1, 4)] * 4):
        size = rows, columns
        places = [
            offset + i * stride[0] + j * stride[1]
            for i, j in product(range(rows), range(columns))
        ]
        inside = (
            min(offset, rows, columns, *stride) >= 0
            and all(0 <= place < 4 for place in places)
            and math.prod(size) <= 4
        )
        arguments = storage(numbers), offset, size, tuple(stride), True, None
        if inside:
            found = call('torch._utils._rebuild_tensor_v2', *arguments)
            assert found.shape == size and not found.requires_grad
            assert found.flatten().tolist() == places
            allowed += 1
        else:
            with pytest.raises(NotPlainError, match='outside its storage'):
                call('torch._utils._rebuild_tensor_v2', *arguments)
    assert allowed > 500


def test_a_tensor_is_a_copy():
    numbers = torch.arange(4.0)
    own = call('torch._utils._rebuild_tensor_v2', storage(numbers), 0, (4,), (1,))
    own += 1
    assert numbers.tolist() == [0, 1, 2, 3]
    with pytest.raises(NotPlainError, match='an unknown torch tensor'):
        call('torch._utils._rebuild_tensor_v2', [0.0], 0, (1,), (1,))
    assert call('torch.Size', [2, 3]) == (2, 3)


def test_storages_that_are_none():
    for data in ('text', 7):
        with pytest.raises(NotPlainError, match='an unknown torch storage'):
            call('torch.storage._load_from_bytes', data)
    for data in (b'', b'cos\nsystem\n(S"exit 1"\ntR.'):
        with pytest.raises(NotPlainError, match='does not load under weights_only'):
            call('torch.storage._load_from_bytes', data)
