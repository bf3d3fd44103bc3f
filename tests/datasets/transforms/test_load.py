import logging

import numpy as np
import pytest
from tiny_frames import write_frames

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.transforms.load import DecodeClip, LoadClip
from mmsign.errors import DataError, FrameReadError


@pytest.fixture
def clip(tmp_path):
    frames = write_frames(tmp_path / 'clip', 6)
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, dict(clip=np.ones((6, 133, 3)), short=np.ones((4, 133, 3))))
    record = dict(
        clip_id='clip',
        frames=str(tmp_path / 'clip'),
        keypoint_file=str(path),
        num_frames=None,
    )
    return record, frames


def test_what_is_opened(clip):
    record, frames = clip
    results = LoadClip()(dict(record))
    assert results['num_frames'] == 6 and results['frame_size'] == (20, 24)
    assert results['keypoints'].shape == (6, 79, 3)
    assert results['crop_box'] == (0.0, 0.0, 20.0, 24.0)
    results['frame_indices'] = np.array([1, 1, 5])
    np.testing.assert_array_equal(DecodeClip()(results)['frames'], frames[[1, 1, 5]])


def test_one_of_the_two(clip):
    record, _ = clip
    assert 'keypoints' not in LoadClip(keypoints=False)(dict(record))
    blind = LoadClip(frames=False)(dict(record))
    assert blind['num_frames'] == 6 and 'frame_source' not in blind
    with pytest.raises(ValueError, match='nothing to load'):
        LoadClip(keypoints=False, frames=False)


def test_keypoints_that_do_not_belong_to_the_frames(clip):
    record, _ = clip
    with pytest.raises(DataError, match='clip gone: not in the keypoint file'):
        LoadClip()(record | dict(clip_id='gone'))
    with pytest.raises(DataError, match=r'clip short: 6 frames .* 4 frames'):
        LoadClip()(record | dict(clip_id='short'))
    with pytest.raises(DataError, match='no file is named'):
        LoadClip()(record | dict(keypoint_file=None))


def test_fewer_frames_than_announced_is_said_once(clip, caplog):
    record, _ = clip
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            results = LoadClip()(record | dict(num_frames=9))
    assert results['num_frames'] == 6


def test_missing_frames_name_the_clip(clip):
    record, _ = clip
    with pytest.raises(FrameReadError, match='clip clip: '):
        LoadClip()(record | dict(frames='nowhere'))
