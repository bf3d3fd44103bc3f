import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmsign.datasets import KeypointFile, KeypointWriter, write_keypoints
from mmsign.errors import DataError


def poses(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 250, (length, 133, 3))


CLIPS = {'b': poses(3), 'a/1': poses(5, 1), 'ü': poses(0), 'c': poses(2, 2)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'k.safetensors'


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def collect(path, clips, **kwargs) -> None:
    with KeypointWriter(path, **kwargs) as writer:
        for clip_id, points in clips.items():
            if clip_id not in writer.done:
                writer.add(clip_id, points)


def test_round_trip_in_half_precision(path):
    write_keypoints(path, CLIPS, frame_size=(210, 260))
    file = KeypointFile(path)
    assert file.clip_ids == ['a/1', 'b', 'c', 'ü'] and file.frame_size == (210, 260)
    assert file.length('a/1') == 5 and 'b' in file and 'z' not in file
    found = file.read('a/1')
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, CLIPS['a/1'], atol=0.07)
    assert path.stat().st_size < 2 * sum(x.size for x in CLIPS.values()) + 2000


def test_a_missing_clip_and_a_missing_file(path):
    with pytest.raises(FileNotFoundError, match=path.name):
        KeypointFile(path).read('a')
    write_keypoints(path, dict(a=poses(2)))
    with pytest.raises(DataError, match='clip z'):
        KeypointFile(path).read('z')


def test_foreign_and_broken_files(path):
    path.write_bytes(b'nonsense')
    with pytest.raises(DataError, match=path.name):
        KeypointFile(path).read('a')
    save_file(dict(a=np.zeros(3)), path)
    with pytest.raises(DataError, match=path.name):
        KeypointFile(path).read('a')


@pytest.mark.parametrize(
    'array', [np.zeros((2, 17, 3)), np.full((2, 133, 3), np.nan), np.zeros((2, 133, 2))]
)
def test_arrays_that_are_no_keypoints(path, array):
    with pytest.raises(DataError, match='clip a'):
        write_keypoints(path, dict(a=array))
    assert not path.exists()


def test_clip_by_clip_gives_the_same_file_as_at_once(path, tmp_path):
    write_keypoints(tmp_path / 'once.safetensors', CLIPS, frame_size=(210, 260))
    collect(path, CLIPS, frame_size=(210, 260))
    assert path.read_bytes() == (tmp_path / 'once.safetensors').read_bytes()
    assert files(tmp_path) == ['k.safetensors', 'once.safetensors']


def test_an_interrupted_run_goes_on_and_a_finished_file_is_added_to(path, tmp_path):
    with pytest.raises(RuntimeError), KeypointWriter(path) as writer:
        writer.add('b', CLIPS['b'])
        raise RuntimeError('stop')
    assert files(tmp_path) == ['k.safetensors.journal']
    with KeypointWriter(path) as writer:
        assert writer.done == {'b'}
        writer.add('c', CLIPS['c'])
    collect(path, CLIPS)
    write_keypoints(tmp_path / 'once', CLIPS)
    assert path.read_bytes() == (tmp_path / 'once').read_bytes()


@pytest.mark.parametrize('cut', [1, 500, 3 * 133 * 6 + 5, 3 * 133 * 6 + 40])
def test_an_incomplete_last_entry_is_dropped(path, tmp_path, cut):
    with pytest.raises(KeyboardInterrupt), KeypointWriter(path) as writer:
        writer.add('c', CLIPS['c'])
        writer.add('b', CLIPS['b'])
        raise KeyboardInterrupt
    journal = tmp_path / 'k.safetensors.journal'
    journal.write_bytes(journal.read_bytes()[:-cut])
    with KeypointWriter(path) as writer:
        assert writer.done == {'c'}
        writer.add('b', CLIPS['b'])
    write_keypoints(tmp_path / 'once', dict(b=CLIPS['b'], c=CLIPS['c']))
    assert path.read_bytes() == (tmp_path / 'once').read_bytes()


@pytest.mark.slow
def test_a_killed_process_loses_at_most_the_clip_it_works_on(path):
    code = (
        'import sys, numpy as np\n'
        'from mmsign.datasets import KeypointWriter\n'
        'w = KeypointWriter(sys.argv[1])\n'
        "w.add('b', np.ones((3, 133, 3)))\n"
        "print('added', flush=True)\n"
        'sys.stdin.read()\n'
    )
    child = subprocess.Popen(
        [sys.executable, '-c', code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | dict(PYTHONPATH=os.pathsep.join(sys.path)),
    )
    assert child.stdout.readline() == b'added\n'
    with pytest.raises(DataError, match='another process'):
        KeypointWriter(path)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with KeypointWriter(path) as writer:
        assert writer.done == {'b'}


def test_what_cannot_be_added(path, tmp_path):
    with KeypointWriter(path) as writer:
        writer.add('b', CLIPS['b'])
        size = (tmp_path / 'k.safetensors.journal').stat().st_size
        for clip_id, points in (
            ('b', CLIPS['b']),
            ('x', poses(2)[:, :17]),
            ('x', np.full((1, 133, 3), np.inf)),
            ('x', np.full((1, 133, 3), None)),
        ):
            with pytest.raises(DataError, match=f'clip {clip_id}'):
                writer.add(clip_id, points)
        assert (tmp_path / 'k.safetensors.journal').stat().st_size == size
    with pytest.raises(DataError, match='mmsign_79'):
        KeypointWriter(path, layout='mmsign_79')
    with pytest.raises(DataError, match='coco'):
        KeypointWriter(tmp_path / 'other', layout='coco')
    assert files(tmp_path) == ['k.safetensors']


def test_a_file_says_which_estimator_made_it(path):
    write_keypoints(path, dict(a=poses(2)))
    assert KeypointFile(path).estimator is None
    collect(path, dict(a=poses(2), b=poses(1)), estimator='rtmw')
    assert KeypointFile(path).estimator == 'rtmw'
    for other in ('hrnet', None):
        with pytest.raises(DataError, match='rtmw'):
            KeypointWriter(path, estimator=other)
    assert KeypointFile(path).clip_ids == ['a', 'b']


@pytest.mark.parametrize('name', ['', ' ', 'two\nlines', '\x1b[31m'])
def test_what_is_no_name_of_an_estimator(path, name):
    with pytest.raises(DataError, match='no name of an estimator'):
        write_keypoints(path, dict(a=poses(2)), estimator=name)
    about = dict(format='mmsign-keypoints', version='1', layout='mmsign_79')
    save_file(
        dict(a=np.zeros((1, 79, 3), np.float16)), path, about | dict(estimator=name)
    )
    with pytest.raises(DataError, match=path.name):
        KeypointFile(path).read('a')
