import gzip
import importlib
import io
import os
import pickle
import resource
import warnings
from collections import OrderedDict
from itertools import product

import numpy as np
import pytest
import torch

from mmsign.errors import DataError
from mmsign.interop.restricted_pickle import read_pickle

SHARED = np.arange(6, dtype=np.float32).reshape(2, 3)
PRIMITIVE = {
    'containers': [1, -2.5, 'ä', None, True, (), (1,), {2}, frozenset([3]), 10**30],
    'ordered': OrderedDict(a=b'\x00\xff', b=b''),
    'numpy_scalar': np.float64(2.5),
    'size': torch.Size([2, 3]),
}
ARRAYS = {
    'float': SHARED,
    'fortran': np.asfortranarray(SHARED),
    'strings': np.array(['ä', 'bcd']),
    'empty': np.zeros((0, 133, 3)),
    'scalar': np.array(True),
    **{code: np.arange(3).astype(code) for code in ('>i4', '<f2', '>c16', '>U2', 'S3')},
}
TENSORS = {
    'matrix': torch.arange(6).view(2, 3),
    'transposed': torch.arange(6.0).view(2, 3).t(),
    'view': torch.arange(9, dtype=torch.float16)[4:6],
    'number': torch.tensor(7),
}


@pytest.fixture
def load(tmp_path):
    """Read the bytes of a pickle, or the pickle of a value."""

    def load(value, protocol=4):
        if not isinstance(value, bytes):
            value = pickle.dumps(value, protocol=protocol)
        path = tmp_path / 'x.pkl'
        path.write_bytes(value)
        return read_pickle(path)

    return load


@pytest.fixture
def refused(load):
    """Read what must be refused; the file is named, and what is refused."""

    def refused(value, named='x.pkl', protocol=4):
        with pytest.raises(DataError) as error:
            load(value, protocol)
        assert 'x.pkl' in str(error.value) and named in str(error.value)

    return refused


class Call:
    """In a pickle: a call of a function, whose result gets a state."""

    def __init__(self, function, *arguments, state=None) -> None:
        self.reduced = function, arguments, *([] if state is None else [state])

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_data_of_every_protocol(load, protocol):
    data = pickle.dumps((PRIMITIVE, ARRAYS, TENSORS, SHARED), protocol=protocol)
    for content in (data, gzip.compress(data)):
        primitive, arrays, tensors, shared = load(content)
        assert primitive == PRIMITIVE
        assert shared is arrays['float'] and shared.flags.writeable
        for name, expected in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], expected)
            native = [a.dtype.newbyteorder('=') for a in (arrays[name], expected)]
            assert native[0] == native[1]
        for name, expected in TENSORS.items():
            assert torch.equal(tensors[name], expected)
            assert tensors[name].dtype == expected.dtype


@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_arrays_as_each_numpy_names_its_functions(load, core):
    own = np.zeros(0).__reduce__()[0].__module__.rpartition('.')[0]
    data = pickle.dumps(ARRAYS, protocol=2).replace(own.encode(), core.encode())
    np.testing.assert_array_equal(load(data)['float'], SHARED)


@pytest.mark.parametrize('protocol', [0, 2, 5])
@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: {'a': [x]}, lambda x: (x, x)])
def test_a_command_is_not_run(refused, tmp_path, protocol, wrap):
    target = tmp_path / 'run'
    data = pickle.dumps(wrap(Call(os.system, f'touch {target}')), protocol=protocol)
    refused(gzip.compress(data), f'{os.system.__module__}.system')
    assert not target.exists()
    pickle.loads(data)  # the file would have done it
    assert target.exists()


@pytest.mark.parametrize(
    ('value', 'named'),
    [
        (os.path.join, 'posixpath.join'),
        (print, 'builtins.print'),
        (torch.nn.Linear(1, 1), 'torch.nn.modules.linear.Linear'),
        (np.array([None, 1]), 'dtype object'),
        (np.zeros(2, dtype=[('a', 'f4'), ('b', 'i2')]), 'dtype'),
        (np.array(['2020-01-01'], 'M8[D]'), 'dtype'),
        (Call(np.dtype, 'f4' + ',f4' * 9), 'dtype'),
        (Call(np.dtype, 7), 'dtype'),
        ({(1, 2): 3}, 'a tuple as a key'),
        ({(1, 2)}, 'a tuple as a key'),
        (frozenset([(1, 2)]), 'a tuple as a key'),
        (OrderedDict({(1, 2): 3}), 'a tuple as a key'),
        (Call(set, [(1, 2)]), 'a tuple as a key'),
    ],
)
def test_other_objects_are_named(refused, value, named):
    refused(value, named)


def test_a_file_changes_nothing_of_what_it_may_name(refused, load):
    name, call = b'cnumpy\ndtype\n', b'(U\x02f4\x89\x88tR'
    for code in (
        name + b'}b.',  # BUILD of a function
        name + b'N}\x86b.',
        name + b'U\x01aNs.',  # SETITEM
        name + b'Na.',  # APPEND
        name + call + b')R.',  # a call of the result
        name + b'U\x02f4\x85\x81.',  # NEWOBJ
        b'(' + name + b'U\x02f4o.',  # OBJ
        b'(U\x02f4inumpy\ndtype\n.',  # INST
        b'Pname\n.',  # PERSID
        b'\x82\x01.',  # EXT1
    ):
        refused(code)
    array = pickle.dumps(np.zeros(2), protocol=2)[:-1]
    refused(array + b'K\x00K\x01s.', 'a ndarray as a dict')
    assert np.dtype('f4') == np.float32 and np.dtype('f4').isnative
    assert load(np.ones(2, 'f4')).dtype == np.float32


def test_memory_is_not_reserved_for_what_is_not_there(refused, load):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for size in (2**62, 2**33):
        for code in (
            pickle.BINBYTES8,
            pickle.BYTEARRAY8,
            pickle.BINUNICODE8,
            pickle.FRAME,
        ):
            refused(b'\x80\x05' + code + size.to_bytes(8, 'little') + b'abc.')
    assert load(b'\x80\x04]r\xff\xff\xff\xffK\x01.') == 1  # an index of the memo
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert used < 2**18  # KiB


def dtype(code, byte_order='<', **changes):
    state = [3, byte_order, None, None, None, -1, -1, 0]
    for place, value in changes.items():
        state[int(place[1:])] = value
    return Call(np.dtype, code, False, True, state=tuple(state))


def array(shape, code, data, order=False):
    state = (1, shape, code, order, data)
    return Call(RECONSTRUCT, np.ndarray, (0,), b'b', state=state)


RECONSTRUCT = np.zeros(0).__reduce__()[0]
SCALAR = np.float32(0).__reduce__()[0]
FROM_BUFFER = importlib.import_module(
    RECONSTRUCT.__module__.replace('multiarray', 'numeric')
)._frombuffer


@pytest.mark.parametrize('code', ['S3', 'U2'])
@pytest.mark.parametrize('alignment', [0, -1, 3, 2**40])
def test_strings_are_aligned_as_numpy_aligns_them(load, code, alignment):
    """With 0 numpy divides by zero when it compares two such arrays."""
    size = np.dtype(code).itemsize
    given = dtype(code, _5=size, _6=alignment)
    found = load(array((4,), given, bytes(4 * size)))
    assert found.dtype.alignment == np.dtype(code).alignment
    assert (found == found[::-1].copy()).all()


def test_states_of_dtypes_change_their_byte_order_alone(load, refused):
    fields = dtype('i2', '>', _3=('a',), _4={'a': 1}, _5=9)
    np.testing.assert_array_equal(load(array((1,), fields, b'\x01\x02')), [258])
    for state in ((3, '!'), [3], (3, None)):
        refused(Call(np.dtype, 'f4', state=state))


@pytest.mark.parametrize('order', ['C', 'F'])
def test_arrays_in_both_ways_of_writing_them(load, order):
    expected = np.arange(6, dtype='<i2').reshape(2, 3, order=order)
    data = expected.tobytes(order)
    for value in (
        array((2, 3), dtype('i2'), data, order == 'F'),
        Call(FROM_BUFFER, data, dtype('i2'), (2, 3), order),
        Call(FROM_BUFFER, bytearray(data), dtype('i2'), (2, 3), order),
    ):
        found = load(value, protocol=5)
        np.testing.assert_array_equal(found, expected)
        found[0, 0] = 7  # it is nobody else's memory
    assert load(Call(SCALAR, dtype('i2', '>'), b'\x02\x01')) == 513


@pytest.mark.parametrize(
    'shape', [(2, 2), (7,), (2**62, 2**62), (-2, -3), (2.0, 3), (6, *[1] * 64), 'ab']
)
def test_an_array_has_as_many_numbers_as_there_are_bytes(refused, shape):
    refused(array(shape, dtype('f4'), bytes(24)))
    refused(Call(FROM_BUFFER, bytes(24), dtype('f4'), shape, 'C'))


def test_arrays_of_something_else(refused):
    for value in (
        array((1,), dtype('f4'), [None]),
        array((1,), 'f4', bytes(4)),
        Call(RECONSTRUCT, np.ndarray, (0,), b'b', state=(1, (1,), bytes(4))),
        Call(FROM_BUFFER, bytes(4), dtype('f4'), (1,), 'K'),
        Call(SCALAR, dtype('f4'), bytes(8)),
    ):
        refused(value)


def tensor(offset, size, stride) -> Call:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # typed storages are deprecated
        storage = torch.arange(4.0).storage()
    tail = (True, OrderedDict())
    return Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, *tail)


def test_a_tensor_shows_its_storage_and_nothing_beside_it(load, refused):
    """Views of two dimensions against the places that they would read."""
    views = list(product(range(-1, 6), *[range(-1, 4)] * 4))
    chosen = np.random.default_rng(0).permutation(len(views))[:400]
    allowed = 0
    for offset, rows, columns, *stride in (views[index] for index in chosen):
        places = [
            offset + i * stride[0] + j * stride[1]
            for i, j in product(range(rows), range(columns))
        ]
        view = tensor(offset, (rows, columns), tuple(stride))
        inside = all(0 <= place < 4 for place in places) and rows * columns <= 4
        if inside and min(offset, rows, columns, *stride) >= 0 and offset <= 4:
            found = load(view)
            assert found.shape == (rows, columns) and not found.requires_grad
            assert found.flatten().tolist() == places
            allowed += 1
        else:
            refused(view)
    assert allowed > 40


def test_storages_that_are_none(refused):
    for data in ('text', 7, b'', b'cos\nsystem\n(S"exit 1"\ntR.'):
        refused(Call(torch.storage._load_from_bytes, data))
    refused(Call(torch._utils._rebuild_tensor_v2, [0.0], 0, (1,), (1,)))
    for offset in (5, 2**60, 2**62, 2**80, -1, 1.5):
        refused(tensor(offset, (1,), (1,)))
    refused(tensor(0, ((0,) * 1000, 2**50), (1, 1)))
    # What torch would load without harm, but for what is done with it here.
    for content in (dict(a=1), torch.zeros(1), torch._utils._rebuild_tensor_v2):
        buffer = io.BytesIO()
        torch.save(content, buffer, _use_new_zipfile_serialization=False)
        refused(Call(torch.storage._load_from_bytes, buffer.getvalue()))


def test_damaged_and_foreign_files(refused, tmp_path):
    data = pickle.dumps(ARRAYS)
    good = gzip.compress(data)
    for broken in (b'', b'nonsense', good[:-20], good[:40] + b'xx' + good[42:]):
        refused(broken)
    for length in range(0, len(data), 7):
        refused(data[:length])
    refused(b'\x80\x02' + b'(' * 100_000)
    with pytest.raises(FileNotFoundError):
        read_pickle(tmp_path / 'gone')
    torch.save({'a': torch.zeros(1)}, tmp_path / 'x.pkl')
    with pytest.raises(DataError, match=r'x\.pkl is a zip archive'):
        read_pickle(tmp_path / 'x.pkl')


def test_deep_nesting_is_read(load):
    value = load(b'\x80\x02' + b']' * 50_000 + b'a' * 49_999 + b'.')
    depth = 1
    while value:
        (value,) = value
        depth += 1
    assert depth == 50_000
