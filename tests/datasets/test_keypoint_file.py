import numpy as np
import pytest
from safetensors.numpy import save_file

from mmsign.datasets.keypoint_file import KeypointFile, write_keypoints
from mmsign.errors import DataError


def poses(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 250, (length, 133, 3))


def test_round_trip_in_half_precision(tmp_path):
    path = tmp_path / 'k.safetensors'
    clips = dict(b=poses(3), a=poses(5, 1))
    write_keypoints(path, clips, frame_size=(210, 260))
    file = KeypointFile(path)
    assert file.clip_ids == ['a', 'b'] and file.frame_size == (210, 260)
    assert file.length('a') == 5 and 'b' in file and 'c' not in file
    found = file.read('a')
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, clips['a'], atol=0.07)
    size = path.stat().st_size
    assert size < 2 * sum(x.size for x in clips.values()) + 2000


def test_a_missing_clip_and_a_missing_file(tmp_path):
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, dict(a=poses(2)))
    with pytest.raises(DataError, match=r'clip z: .*holds 1 clips \(a'):
        KeypointFile(path).read('z')
    with pytest.raises(FileNotFoundError, match='no keypoint file'):
        KeypointFile(tmp_path / 'gone').read('a')


def test_foreign_and_broken_files(tmp_path):
    path = tmp_path / 'k.safetensors'
    path.write_bytes(b'nonsense')
    with pytest.raises(DataError, match='is not a safetensors file'):
        KeypointFile(path).read('a')
    save_file(dict(a=np.zeros(3)), path)
    with pytest.raises(DataError, match='expected format'):
        KeypointFile(path).read('a')


@pytest.mark.parametrize(
    'array', [np.zeros((2, 17, 3)), np.full((2, 133, 3), np.nan), np.zeros((2, 133, 2))]
)
def test_arrays_that_are_no_keypoints(tmp_path, array):
    with pytest.raises(DataError):
        write_keypoints(tmp_path / 'k', dict(a=array))
    assert not (tmp_path / 'k').exists()
