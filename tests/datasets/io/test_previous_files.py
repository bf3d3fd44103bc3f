"""Files that the version before has written; see tests/data/previous."""

import shutil
from pathlib import Path

import numpy as np

from mmsign.datasets import KeypointFile, KeypointWriter, write_keypoints
from mmsign.datasets.io.feature_file import FeatureFile
from mmsign.datasets.io.packs import PackWriter

FILES = Path(__file__).parents[2] / 'data' / 'previous' / 'stores'


def points(length: int) -> np.ndarray:
    return (np.arange(length * 79 * 3).reshape(length, 79, 3) % 251).astype(np.float32)


def test_keypoint_file(tmp_path):
    file = KeypointFile(FILES / 'keypoints.safetensors')
    assert file.frame_size == (210, 260) and file.clip_ids == ['a/ü', 'b']
    np.testing.assert_array_equal(file.read('b'), points(2))
    again = tmp_path / 'again.safetensors'
    clips = {clip: file.read(clip) for clip in file.clip_ids}
    write_keypoints(again, clips, 'mmsign_79', (210, 260))
    assert again.read_bytes() == (FILES / 'keypoints.safetensors').read_bytes()


def test_journal_of_keypoints(tmp_path):
    shutil.copy(FILES / 'begun.safetensors.journal', tmp_path)
    path = tmp_path / 'begun.safetensors'
    with KeypointWriter(path, 'mmsign_79', (210, 260)) as writer:
        assert writer.done == {'c', 'd'}
    np.testing.assert_array_equal(KeypointFile(path).read('d'), points(1))


def test_feature_file():
    file = FeatureFile(FILES / 'features.safetensors')
    assert file.network == 'net' and file.clip_ids == ['a', 'b#1']
    found = file.read('b#1')
    assert found.num_frames == 9 and found.frame_indices.tolist() == list(range(8))
    np.testing.assert_array_equal(found.streams['video'], np.arange(6).reshape(2, 3))


def test_begun_pack(tmp_path):
    shutil.copy(FILES / 'begun.zip.partial', tmp_path)
    assert PackWriter(tmp_path / 'begun.zip', dict(short_side=16)).done == {'train/a'}
