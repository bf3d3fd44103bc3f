import logging

import numpy as np
import pytest
from tiny_frames import write_frames
from tiny_video import write_video

from mmsign.datasets import open_frames
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.transforms.load import DecodeClip, LoadClip
from mmsign.errors import ConfigError, DataError, FrameReadError
from mmsign.keypoints import FACES


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


def test_frames_that_a_step_of_ones_own_opened(clip):
    record, frames = clip
    opened = dict(clip_id='a', frame_source=open_frames(record['frames']))
    found = DecodeClip()(opened | dict(frame_indices=np.array([0, 4])))
    np.testing.assert_array_equal(found['frames'], frames[[0, 4]])


def test_one_of_the_two(clip):
    record, _ = clip
    assert 'keypoints' not in LoadClip(keypoints=False)(dict(record))
    blind = LoadClip(frames=False)(dict(record))
    assert blind['num_frames'] == 6 and 'frame_source' not in blind
    with pytest.raises(ValueError, match='LoadClip'):
        LoadClip(keypoints=False, frames=False)


def test_whose_points_of_the_face(clip, tmp_path):
    record, _ = clip
    path = str(tmp_path / 'numbers.safetensors')
    numbers = np.tile(np.arange(133.0)[None, :, None], (6, 1, 3))
    write_keypoints(path, dict(clip=numbers))
    found = LoadClip(face='mska')(record | dict(keypoint_file=path))
    assert found['face'] == 'mska'
    assert found['keypoints'][0, :, 0].tolist() == [*map(float, FACES['mska'])]
    write_keypoints(path, dict(clip=numbers[:, :79]), 'mmsign_79')
    with pytest.raises(DataError, match="clip: .*numbers.*face='mska'"):
        LoadClip(face='mska')(record | dict(keypoint_file=path))
    with pytest.raises(ConfigError, match='smiling'):
        LoadClip(face='smiling')


def test_keypoints_that_do_not_belong_to_the_frames(clip):
    record, _ = clip
    with pytest.raises(DataError, match='clip gone'):
        LoadClip()(record | dict(clip_id='gone'))
    with pytest.raises(DataError, match='clip short'):
        LoadClip()(record | dict(clip_id='short'))
    with pytest.raises(DataError, match='keypoint_file'):
        LoadClip()(record | dict(keypoint_file=None))


def test_keypoints_made_for_another_frame_size(clip, caplog):
    record, _ = clip
    path = record['keypoint_file']
    write_keypoints(path, dict(clip=np.ones((6, 133, 3))), frame_size=(60, 72))
    with pytest.raises(DataError, match='clip clip: .*20×24.*60×72'):
        LoadClip()(dict(record))
    # Without a size that says so, confident points outside of the frame do.
    points = np.random.default_rng(0).uniform(0, 60, (6, 133, 3)).astype(np.float32)
    write_keypoints(path, dict(clip=points))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            LoadClip()(dict(record))


def test_a_clip_is_seen_at_the_rate_of_its_corpus(clip, tmp_path):
    record, _ = clip
    video = tmp_path / 'clip.mp4'
    frames = write_video(video, 10, fps=50.0)
    points = np.arange(10)[:, None, None] + np.ones((10, 133, 3))
    write_keypoints(record['keypoint_file'], dict(clip=points), frame_size=(64, 48))
    record |= dict(frames=str(video), fps=25.0)
    both = LoadClip()(dict(record))
    assert both['num_frames'] == 5 and len(both['chosen_frames']) == 5
    assert both['keypoints'][:, 0, 0].tolist() == [1, 3, 5, 7, 9]
    both['frame_indices'] = np.array([0, 3])
    seen = DecodeClip()(both)['frames'].astype(int)
    assert np.abs(seen - frames[[0, 6]]).mean() < np.abs(seen - frames[[1, 7]]).mean()
    alone = LoadClip(frames=False)(dict(record))
    np.testing.assert_array_equal(alone['keypoints'], both['keypoints'])
    assert LoadClip()(record | dict(fps=None))['num_frames'] == 10
    # Keypoints alone do without a video that is not there or cannot be decoded.
    video.write_bytes(b'x')
    assert LoadClip(frames=False)(dict(record))['num_frames'] == 10
    video.unlink()
    assert LoadClip(frames=False)(dict(record))['num_frames'] == 10


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


def test_frames_without_times_have_the_rate_that_is_stated(clip):
    record, _ = clip
    points = np.arange(6)[:, None, None] + np.ones((6, 133, 3))
    write_keypoints(record['keypoint_file'], dict(clip=points), frame_size=(20, 24))
    record |= dict(fps=25.0, source_fps=50.0)
    both, alone = LoadClip()(dict(record)), LoadClip(frames=False)(dict(record))
    bare = LoadClip(frames=False)(record | dict(frames=''))
    for results in (both, alone, bare):
        assert results['keypoints'][:, 0, 0].tolist() == [1, 3, 5]
        assert results['num_frames'] == 3
    assert both['chosen_frames'].tolist() == [0, 2, 4]
    for change in (dict(fps=None), dict(source_fps=None), dict(source_fps=25.0)):
        assert LoadClip()(record | change)['num_frames'] == 6


def test_a_clip_without_a_video_needs_the_size_of_its_frames(clip):
    record, _ = clip
    record['frames'] = ''
    with pytest.raises(FrameReadError, match='clip clip: .*names no video'):
        LoadClip()(dict(record))
    write_keypoints(record['keypoint_file'], dict(clip=np.ones((6, 133, 3))))
    with pytest.raises(FrameReadError, match='a frame_size in the keypoint file'):
        LoadClip(frames=False)(dict(record))
    stated = LoadClip(frames=False)(dict(record, source_size=(20, 24)))
    assert stated['frame_size'] == (20, 24) and len(stated['keypoints']) == 6
