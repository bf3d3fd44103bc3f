import gzip
import os
import pickle
import pickletools
from collections import OrderedDict

import numpy as np
import pytest
import torch

from mmsign.errors import DataError
from mmsign.interop.plain_pickle import read_plain_pickle

SHARED = np.arange(6, dtype=np.float32).reshape(2, 3)
PLAIN = {
    'containers': [1, -2.5, 'ä', None, True, (), (1,), {2}, frozenset([3]), 10**30],
    'ordered': OrderedDict(a=b'\x00\xff', b=b''),
    'numpy_scalar': np.float64(2.5),
    'size': torch.Size([2, 3]),
}
ARRAYS = {
    'float': SHARED,
    'fortran': np.asfortranarray(SHARED),
    'big_endian': np.arange(3, dtype='>i4'),
    'strings': np.array(['ä', 'bcd']),
    'half': np.ones((1, 2, 3), np.float16),
    'empty': np.zeros((0, 133, 3)),
    'scalar': np.array(True),
}
TENSORS = {
    'matrix': torch.arange(6).view(2, 3),
    'transposed': torch.arange(6.0).view(2, 3).t(),
    'view': torch.arange(9, dtype=torch.float16)[4:6],
    'number': torch.tensor(7),
}


def write(tmp_path, data: bytes):
    path = tmp_path / 'x.pkl'
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_of_every_protocol(tmp_path, protocol):
    data = pickle.dumps((PLAIN, ARRAYS, TENSORS, SHARED), protocol=protocol)
    for content in (data, gzip.compress(data)):
        plain, arrays, tensors, shared = read_plain_pickle(write(tmp_path, content))
        assert plain == PLAIN
        assert shared is arrays['float'] and shared.flags.writeable
        for name, expected in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], expected)
            assert arrays[name].dtype.newbyteorder('=') == expected.dtype.newbyteorder(
                '='
            )
        for name, expected in TENSORS.items():
            assert torch.equal(tensors[name], expected)
            assert tensors[name].dtype == expected.dtype


class Command:
    """Runs a command when it is unpickled the usual way."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


@pytest.mark.parametrize('protocol', [0, 2, 5])
@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: {'a': [x]}, lambda x: (x, x)])
def test_a_command_is_not_run(tmp_path, protocol, wrap):
    target = tmp_path / 'run'
    data = pickle.dumps(wrap(Command(target)), protocol=protocol)
    path = write(tmp_path, gzip.compress(data))
    with pytest.raises(DataError, match=r'x\.pkl: .* (posix|nt)\.system'):
        read_plain_pickle(path)
    assert not target.exists()
    pickle.loads(data)  # the file would have done it
    assert target.exists()


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        (np.array([None, 1]), 'numpy array of dtype object'),
        (np.zeros(2, dtype=[('a', 'f4'), ('b', 'i2')]), 'numpy array of dtype'),
        (np.array(['2020-01-01'], 'M8[D]'), 'numpy array of dtype'),
        (os.path.join, 'posixpath.join'),
        (print, 'builtins.print'),
        (torch.nn.Linear(1, 1), 'torch.nn.modules.linear.Linear'),
        ({(1, 2): 3}, 'a tuple as a key'),
    ],
)
def test_other_objects_are_named(tmp_path, value, message):
    path = write(tmp_path, pickle.dumps(value, protocol=4))
    with pytest.raises(DataError, match=message):
        read_plain_pickle(path)


def rewritten(value, old: bytes, new: bytes) -> bytes:
    data = pickle.dumps(value, protocol=2)
    assert data.count(old) == 1
    return data.replace(old, new)


def test_arguments_are_checked(tmp_path):
    # An array that claims to be larger than its bytes.
    data = rewritten(np.zeros(77, np.uint8), b'K\x4d\x85', b'K\xff\x85')
    with pytest.raises(DataError, match=r'shape \(255,\) in 77 bytes'):
        read_plain_pickle(write(tmp_path, data))
    # Memory for 2^62 bytes is not reserved.
    huge = (2**62).to_bytes(8, 'little')
    for code in (pickle.BINBYTES8, pickle.BYTEARRAY8, pickle.BINUNICODE8, pickle.FRAME):
        with pytest.raises(DataError, match='is damaged'):
            read_plain_pickle(write(tmp_path, b'\x80\x05' + code + huge + b'abc.'))
    # A file cannot change what a stand-in does, nor call the result of one.
    name = b'cnumpy\ndtype\n'
    for tail in (b'}b.', b'U\x02f4\x85R)R.', b'N}\x86b.'):
        with pytest.raises(DataError):
            read_plain_pickle(write(tmp_path, name + tail))
    assert np.dtype('f4') == np.float32


def test_a_tensor_stays_inside_its_storage(tmp_path):
    data = pickle.dumps(torch.zeros(77), protocol=2)
    places = [pos for op, arg, pos in pickletools.genops(data) if arg == 77]
    size = places[-1]
    assert data[size : size + 2] == b'K\x4d'
    broken = data[: size + 1] + b'\xff' + data[size + 2 :]
    with pytest.raises(DataError, match='outside its storage'):
        read_plain_pickle(write(tmp_path, broken))


def test_damaged_and_foreign_files(tmp_path):
    good = gzip.compress(pickle.dumps(ARRAYS))
    for data in (b'', b'nonsense', good[:-20], good[:40] + b'xx' + good[42:], b'\x80'):
        with pytest.raises(DataError, match=r'x\.pkl is no pickle'):
            read_plain_pickle(write(tmp_path, data))
    with pytest.raises(FileNotFoundError):
        read_plain_pickle(tmp_path / 'gone')


def test_a_file_of_torch_save_is_told_apart(tmp_path):
    torch.save({'a': torch.zeros(1)}, tmp_path / 'x.pkl')
    with pytest.raises(DataError, match='is a zip archive, as torch'):
        read_plain_pickle(tmp_path / 'x.pkl')
