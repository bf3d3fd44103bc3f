import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from mmsign.datasets.keypoint_file import KeypointFile, write_keypoints
from mmsign.datasets.keypoint_writer import KeypointWriter
from mmsign.errors import DataError


def poses(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 250, (length, 133, 3))


CLIPS = {'b': poses(3), 'a/1': poses(5, 1), 'ü': poses(0), 'c': poses(2, 2)}


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_same_file_as_written_at_once(tmp_path):
    write_keypoints(tmp_path / 'once.safetensors', CLIPS, frame_size=(210, 260))
    path = tmp_path / 'k.safetensors'
    with KeypointWriter(path, frame_size=(210, 260)) as writer:
        for clip_id, points in CLIPS.items():
            writer.add(clip_id, points)
        assert writer.done == set(CLIPS)
    assert path.read_bytes() == (tmp_path / 'once.safetensors').read_bytes()
    assert files(tmp_path) == ['k.safetensors', 'once.safetensors']


def test_an_interrupted_run_goes_on(tmp_path):
    path = tmp_path / 'k.safetensors'
    with pytest.raises(RuntimeError), KeypointWriter(path) as writer:
        writer.add('b', CLIPS['b'])
        raise RuntimeError('stop')
    assert files(tmp_path) == ['k.safetensors.journal']
    with KeypointWriter(path) as writer:
        assert writer.done == {'b'}
        writer.add('c', CLIPS['c'])
    np.testing.assert_allclose(KeypointFile(path).read('b'), CLIPS['b'], atol=0.07)
    # A finished file is added to.
    with KeypointWriter(path) as writer:
        assert writer.done == {'b', 'c'}
        writer.add('a/1', CLIPS['a/1'])
    file = KeypointFile(path)
    assert file.clip_ids == ['a/1', 'b', 'c']
    np.testing.assert_allclose(file.read('c'), CLIPS['c'], atol=0.07)


@pytest.mark.parametrize('cut', [1, 500, 3 * 133 * 6 + 5, 3 * 133 * 6 + 40])
def test_an_incomplete_last_entry_is_dropped(tmp_path, cut):
    path = tmp_path / 'k.safetensors'
    writer = KeypointWriter(path)
    writer.add('c', CLIPS['c'])
    writer.add('b', CLIPS['b'])
    writer._journal.close()
    journal = tmp_path / 'k.safetensors.journal'
    journal.write_bytes(journal.read_bytes()[:-cut])
    with KeypointWriter(path) as writer:
        assert writer.done == {'c'}
        writer.add('b', CLIPS['b'])
    write_keypoints(tmp_path / 'once', dict(b=CLIPS['b'], c=CLIPS['c']))
    assert path.read_bytes() == (tmp_path / 'once').read_bytes()


def test_a_killed_process_loses_at_most_the_clip_it_works_on(tmp_path):
    path = tmp_path / 'k.safetensors'
    code = (
        'import sys, numpy as np\n'
        'from mmsign.datasets.keypoint_writer import KeypointWriter\n'
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
    with pytest.raises(DataError, match='another process writes'):
        KeypointWriter(path)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with KeypointWriter(path) as writer:
        assert writer.done == {'b'}


def test_what_cannot_be_added(tmp_path):
    path = tmp_path / 'k.safetensors'
    with KeypointWriter(path) as writer:
        writer.add('b', CLIPS['b'])
        size = (tmp_path / 'k.safetensors.journal').stat().st_size
        for clip_id, points, message in (
            ('b', CLIPS['b'], 'already'),
            ('x', poses(2)[:, :17], r'shape \(2, 17, 3\)'),
            ('x', np.full((1, 133, 3), np.inf), 'not finite'),
            ('x', np.full((1, 133, 3), None), 'dtype object'),
        ):
            with pytest.raises(DataError, match=message):
                writer.add(clip_id, points)
        assert (tmp_path / 'k.safetensors.journal').stat().st_size == size
    with pytest.raises(DataError, match='to add are such of mmsign_79'):
        KeypointWriter(path, layout='mmsign_79')
    with pytest.raises(DataError, match='unknown layout'):
        KeypointWriter(tmp_path / 'other', layout='coco')
    assert files(tmp_path) == ['k.safetensors']
