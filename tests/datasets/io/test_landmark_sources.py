import json

import numpy as np
import pytest

from mmsign.datasets.io.landmark_sources import find_recordings
from mmsign.errors import DataError
from mmsign.interop.mediapipe_points import MEDIAPIPE_TABLE


def vectors(*counts: int) -> np.ndarray:
    """Counting up, frame by frame."""
    frames = sum(counts) if len(counts) == 1 else counts[0] * counts[1]
    found = np.repeat(np.arange(1, frames + 1)[:, None] / 100, 258, axis=1)
    return found.reshape(*counts, 258)


def nose(recording) -> list[float]:
    return (recording.read(MEDIAPIPE_TABLE).points[:, 0, 0] * 100).round().tolist()


def by_id(source) -> dict:
    return {recording.clip_id: recording for recording in find_recordings(source)}


def test_a_folder_of_everything(tmp_path, capsys):
    book = tmp_path / 'book'
    (book / '0').mkdir(parents=True)
    for number, frame in enumerate(vectors(12)):
        np.save(book / '0' / f'{number}.npy', frame)  # 10 comes after 9
    np.save(book / 'a.npy', vectors(3))
    np.savez(book / 'b.npz', vectors(4))
    (tmp_path / 'deep' / 'car').mkdir(parents=True)
    frames = [{'pose_0': [0.07, 0.5]}]
    (tmp_path / 'deep' / 'car' / 'c.json').write_text(json.dumps(frames))
    np.save(tmp_path / 'loose.npy', vectors(1))
    (tmp_path / 'readme.txt').write_text('')
    found = by_id(tmp_path)
    assert {name: nose(recording) for name, recording in found.items()} == {
        'loose': [1],
        'book/a': [1, 2, 3],
        'book/b': [1, 2, 3, 4],
        'book/0': list(range(1, 13)),
        'deep/car/c': [7],
    }
    assert {name: recording.label for name, recording in found.items()} == {
        'loose': None,
        'book/a': 'book',
        'book/b': 'book',
        'book/0': 'book',
        'deep/car/c': 'car',
    }
    assert 'readme.txt' in capsys.readouterr().out
    # A file alone, a recording's folder alone.
    assert nose(by_id(book / 'a.npy')['a']) == [1, 2, 3]
    assert nose(by_id(book / '0')['0']) == list(range(1, 13))


def test_an_empty_folder_among_recordings(tmp_path):
    for name in ('0', '1', '2'):
        (tmp_path / 'book' / name).mkdir(parents=True)
    assert find_recordings(tmp_path) == []
    np.save(tmp_path / 'book' / '0' / '0.npy', vectors(1)[0])
    found = by_id(tmp_path)
    assert list(found) == ['book/0', 'book/1', 'book/2']
    with pytest.raises(DataError, match='book/2: no frame'):
        found['book/2'].read(MEDIAPIPE_TABLE)


def test_an_archive_of_many(tmp_path):
    path, labels = tmp_path / 'x.npz', np.array(['no', 'yes', 'no'])
    signers = np.array(['a', 'b', 'b'])
    np.savez(path, X=vectors(3, 2), labels=labels, signers=signers)
    found = by_id(path)
    assert {name: nose(recording) for name, recording in found.items()} == {
        'x-0': [1, 2],
        'x-1': [3, 4],
        'x-2': [5, 6],
    }
    assert [recording.label for recording in found.values()] == labels.tolist()
    assert [recording.signer for recording in found.values()] == signers.tolist()
    # Of different lengths, with names of their own and numbered labels.
    columns = dict(y=np.array([1, 0]), actions=np.array(['no', 'yes']))
    columns |= dict(offsets=np.array([0, 4, 6]), ids=np.array([7, 9]))
    np.savez(path, data=vectors(6), **columns)
    found = by_id(path)
    assert list(found) == ['7', '9'] and nose(found['9']) == [5, 6]
    assert [recording.label for recording in found.values()] == ['yes', 'no']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(X=np.zeros((3, 2, 200))), '0 arrays of vectors'),
        (dict(Z=np.ones((3, 2, 258))), '2 arrays of vectors'),
        (dict(X=np.full((3, 2, 258), 'a')), 'array of <U1'),
        (dict(labels=np.array(['no', 'yes'])), r'labels of shape \(2,\)'),
        (dict(labels=np.array([0, 1, 2])), 'numbers up to 2, with 0 names'),
        (dict(labels=np.array([0, 1, 2]), classes=np.array(['a', 'b'])), 'with 2 n'),
        (dict(labels=np.array([-1, 0, 0]), classes=np.array(['a', 'b'])), 'with 2 n'),
        (dict(labels=np.array([0.0, 1, 2])), 'float64, expected names'),
        (dict(labels=np.eye(3)), r'labels of shape \(3, 3\)'),
        (dict(X=np.ones((6, 258)), offsets=np.array([0, 4, 7])), 'offsets must rise'),
        (dict(X=np.ones((6, 258)), offsets=np.array([0, 4, 2, 6])), 'offsets must'),
    ],
)
def test_archives_that_do_not_say_what_they_hold(tmp_path, change, message):
    arrays = dict(X=vectors(3, 2), labels=np.array(['no', 'yes', 'no']))
    np.savez(tmp_path / 'x.npz', **arrays | change)
    (recording,) = find_recordings(tmp_path / 'x.npz')
    with pytest.raises(DataError, match=rf'x\.npz: .*{message}'):
        recording.read(MEDIAPIPE_TABLE)


@pytest.mark.parametrize(
    ('arrays', 'message'),
    [
        ([np.ones((3, 257))], r'0\.npy: .*\(3, 257\); expected numbers, 258 or 1662'),
        ([np.ones((0, 258))], r'0\.npy: an array of shape \(0, 258\)'),
        ([np.ones((2, 3, 258))], r'0\.npy: an array of shape \(2, 3, 258\)'),
        ([np.ones(258), np.ones(257)], r'1\.npy: .*\(257,\)'),
        ([np.ones(258), np.ones(1662)], r'1\.npy: a frame of shape \(1662,\) among'),
        ([np.ones(258), np.ones((2, 258))], r'1\.npy: a frame of shape \(2, 258\)'),
        ([np.array(['a'] * 258)], r'0\.npy: an array of <U1'),
    ],
)
def test_arrays_that_are_no_recordings(tmp_path, arrays, message):
    for number, array in enumerate(arrays):
        np.save(tmp_path / f'{number}.npy', array)
    (recording,) = find_recordings(tmp_path)
    with pytest.raises(DataError, match=message):
        recording.read(MEDIAPIPE_TABLE)


def test_an_archive_without_a_frame_in_a_recording(tmp_path):
    np.savez(tmp_path / 'x.npz', X=vectors(6), offsets=np.array([0, 6, 6]))
    found = by_id(tmp_path / 'x.npz')
    assert len(nose(found['x-0'])) == 6
    with pytest.raises(DataError, match=r'x\.npz, recording x-1: no frame'):
        found['x-1'].read(MEDIAPIPE_TABLE)


def test_nothing_is_there(tmp_path):
    assert find_recordings(tmp_path) == []
    with pytest.raises(FileNotFoundError, match='absent'):
        find_recordings(tmp_path / 'absent')
