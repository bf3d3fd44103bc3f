"""What keypoint and feature files share; each has tests of its own, too."""

import pickle

import numpy as np
import pytest
from safetensors.numpy import load_file

from mmsign.datasets.io.stores import ArrayStore, Journal, Stored, write_store
from mmsign.errors import DataError


class Numbers(ArrayStore):
    FORMAT = 'numbers'
    KIND = 'file of numbers'
    MISSING = 'make it'
    LACKING = 'add it'


ARRAYS = {
    'b': Stored.of('<f2', np.arange(6.0).reshape(2, 3)),
    'a': Stored.of('<i4', np.arange(5)),
    'é': Stored.of('<f2', np.zeros((0, 3))),
}
ABOUT = dict(format='numbers', version='1', more='x')


def test_any_reader_opens_it_and_the_order_changes_nothing(tmp_path):
    one, other = tmp_path / 'one.safetensors', tmp_path / 'other.safetensors'
    write_store(one, ABOUT, ARRAYS)
    write_store(other, dict(reversed(ABOUT.items())), dict(reversed(ARRAYS.items())))
    assert {*load_file(one)} == {*ARRAYS}
    for name, stored in ARRAYS.items():
        np.testing.assert_array_equal(load_file(one)[name], stored.read())
        np.testing.assert_array_equal(load_file(other)[name], stored.read())
    write_store(other, ABOUT, dict(reversed(ARRAYS.items())))
    assert one.read_bytes() == other.read_bytes()


def test_names_and_shapes_come_from_the_head(tmp_path):
    path = tmp_path / 'one.safetensors'
    write_store(path, ABOUT, ARRAYS)
    store = pickle.loads(pickle.dumps(Numbers(path)))
    assert store.clip_ids == ['a', 'b', 'é'] and store.metadata['more'] == 'x'
    assert store.shape('b') == [2, 3] and store.array('a').tolist() == [0, 1, 2, 3, 4]
    # The same letter, written in two code points.
    assert store.require('e\u0301') == 'é' and store.find('x/b') == 'b'
    with pytest.raises(DataError, match='c: .*add it'):
        store.require('c')


def test_files_of_another_kind_are_refused(tmp_path):
    path = tmp_path / 'one.safetensors'
    with pytest.raises(FileNotFoundError, match='make it'):
        _ = Numbers(path).arrays
    write_store(path, ABOUT | dict(version='2'), ARRAYS)
    with pytest.raises(DataError, match=path.name):
        _ = Numbers(path).arrays
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match='truncated'):
        _ = Numbers(path).arrays


@pytest.mark.parametrize('cut', range(0, 40, 3))
def test_a_journal_goes_on_behind_its_last_complete_entry(cut, tmp_path):
    path, about = tmp_path / 'x', dict(of='numbers')
    journal = Journal(path, about, (3,))
    arrays = [np.full((2, 3), number, '<f2') for number in range(2)]
    for name, array in zip('ab', arrays):
        journal.append(name, array)
    journal.close(remove=False)
    data = journal.path.read_bytes()
    journal.path.write_bytes(data[: len(data) - cut])
    again = Journal(path, about, (3,))
    assert [*again.clips] == (['a'] if cut else ['a', 'b'])
    again.append('c', arrays[1])
    found = {name: stored.read() for name, stored in again.stored().items()}
    np.testing.assert_array_equal(found['a'].reshape(2, 3), arrays[0])
    np.testing.assert_array_equal(found['c'].reshape(2, 3), arrays[1])
    again.close(remove=True)
    assert not again.path.exists()


def test_a_journal_about_something_else(tmp_path):
    Journal(tmp_path / 'x', dict(of='numbers'), (3,)).close(remove=False)
    with pytest.raises(DataError, match='another file'):
        Journal(tmp_path / 'x', dict(of='letters'), (3,))
