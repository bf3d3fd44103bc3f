"""Begun files of the version before go on, finished ones are written as they were."""

import shutil
from pathlib import Path

import numpy as np

from mmsign.datasets import KeypointFile, KeypointWriter, write_keypoints
from mmsign.datasets.io.packs import PackWriter

FILES = Path(__file__).parents[2] / 'data' / 'previous'


def test_keypoint_file(tmp_path):
    path, again = FILES / 'corpus' / 'keypoints.safetensors', tmp_path / 'again'
    file = KeypointFile(path)
    clips = {clip: file.read(clip) for clip in file.clip_ids}
    write_keypoints(again, clips, file.layout, file.frame_size)
    assert again.read_bytes() == path.read_bytes()


def test_journal_of_keypoints(tmp_path):
    shutil.copy(FILES / 'stores' / 'begun.safetensors.journal', tmp_path)
    path = tmp_path / 'begun.safetensors'
    with KeypointWriter(path, 'mmsign_79', (210, 260)) as writer:
        assert writer.done == {'c', 'd'}
    points = (np.arange(79 * 3).reshape(1, 79, 3) % 251).astype(np.float32)
    np.testing.assert_array_equal(KeypointFile(path).read('d'), points)


def test_begun_pack(tmp_path):
    shutil.copy(FILES / 'stores' / 'begun.zip.partial', tmp_path)
    assert PackWriter(tmp_path / 'begun.zip', dict(short_side=16)).done == {'train/a'}
