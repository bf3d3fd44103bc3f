from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_frames import write_frames
from tiny_network import keypoints_of, random_frames
from tiny_video import write_video

from mmsign.apis.clips import open_clip
from mmsign.apis.pipeline import Pipeline
from mmsign.errors import FrameReadError
from mmsign.registry import TRANSFORMS

FRAMES = random_frames(10)
POSE = keypoints_of(10)[:, :79]
STEPS = dict(
    load=dict(type='LoadClip'),
    sample=dict(type='SampleClip', test=True, max_length=8),
    decode=dict(type='DecodeClip'),
    crop=dict(type='ClipCenterCrop', fraction=0.5),
    resize=dict(type='ClipResize', size=16),
    pack=dict(type='PackClip'),
)
MORE = dict(signer=dict(type='SignerCrop'), hold=dict(type='HoldLast', frames=8))


def transforms(*names: str, **load: bool) -> list:
    known = STEPS | MORE
    steps = [known[name] | (load if name == 'load' else {}) for name in names]
    return [TRANSFORMS.build(step) for step in steps]


def test_the_steps_of_testing_are_applied():
    pipeline = Pipeline(transforms(*STEPS))
    assert pipeline.needs_frames and pipeline.needs_keypoints
    assert (pipeline.max_length, pipeline.stride) == (8, 4)
    clip = pipeline.prepare(open_clip(FRAMES), POSE)
    # The middle eight frames, and of each the middle quarter.
    resized = TRANSFORMS.build(STEPS['resize'])(
        dict(
            frames=FRAMES[1:9, 12:36, 16:48],
            crop_box=(0, 0, 32, 24),
            frame_size=(32, 24),
        )
    )
    expected = torch.from_numpy(resized['frames']).permute(3, 0, 1, 2)
    assert torch.equal(clip['inputs']['video'], expected)
    assert torch.equal(clip['inputs']['keypoints'], torch.from_numpy(POSE[1:9]))
    sample = clip['data_samples']
    assert sample.crop_box == (16, 12, 32, 24) and sample.length == 8
    assert sample.frame_indices.tolist() == [*range(1, 9)]
    assert 'translations' not in sample


def test_keypoints_alone_need_no_frames():
    pipeline = Pipeline(transforms('load', 'sample', 'crop', 'pack', frames=False))
    assert not pipeline.needs_frames
    clip = pipeline.prepare(open_clip(FRAMES), POSE)
    assert list(clip['inputs']) == ['keypoints']
    assert torch.equal(clip['inputs']['keypoints'], torch.from_numpy(POSE[1:9]))


def test_of_a_resampled_clip_the_chosen_frames_are_read():
    clip = open_clip(FRAMES, fps=32.0)
    clip.resample(16.0)
    pipeline = Pipeline(transforms(*STEPS))
    found = pipeline.prepare(clip, POSE[::2])
    expected = pipeline.prepare(open_clip(FRAMES[::2]), POSE[::2])
    assert torch.equal(found['inputs']['video'], expected['inputs']['video'])
    begins, ends = clip.frame_times(found['data_samples'].frame_indices)
    np.testing.assert_array_equal(begins, np.arange(4) / 16)
    np.testing.assert_array_equal(ends, np.arange(1, 5) / 16)


def test_frames_of_any_resolution_are_decoded_a_few_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / 'made.mp4'
    write_video(path, 16, size=(256, 192))
    pipeline = Pipeline(transforms(*STEPS))
    pose = keypoints_of(16)[:, :79]
    whole = pipeline.prepare(open_clip(path), pose)
    for count in (1, 5):
        most = count * 256 * 192 * 3
        monkeypatch.setattr('mmsign.apis.pipeline.CHUNK_BYTES', most)
        found = pipeline.prepare(open_clip(path), pose)
        assert torch.equal(found['inputs']['video'], whole['inputs']['video'])


def test_a_damaged_picture_in_a_folder(tmp_path):
    write_frames(tmp_path, 8)
    path = tmp_path / 'images0006.png'
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FrameReadError, match=r'images0006\.png'):
        Pipeline(transforms(*STEPS)).prepare(open_clip(tmp_path), POSE[:8])


@pytest.mark.parametrize(
    'names',
    [
        ('load', 'decode', 'sample', 'pack'),
        ('sample', 'decode', 'pack'),
        ('load', 'sample', 'decode', 'crop'),
    ],
)
def test_pipelines_of_another_shape(names):
    kinds = ', '.join(STEPS[name]['type'] for name in names)
    with pytest.raises(ValueError, match=f'PackClip; found {kinds}$'):
        Pipeline(transforms(*names))


def test_frames_are_decoded_if_and_only_if_they_are_opened():
    for names, frames in (
        (('load', 'sample', 'crop', 'pack'), True),
        (('load', 'sample', 'decode', 'pack'), False),
    ):
        with pytest.raises(ValueError, match='DecodeClip'):
            Pipeline(transforms(*names, frames=frames))


def test_the_last_frame_is_held_behind_the_whole_clip(monkeypatch):
    names = ('load', 'sample', 'decode', 'signer', 'resize', 'hold', 'pack')
    pipeline = Pipeline(transforms(*names))
    assert pipeline.held == 8 and pipeline.looks_at_keypoints
    assert Pipeline(transforms(*STEPS)).held == 0
    found = pipeline.prepare(open_clip(FRAMES), POSE)
    video = found['inputs']['video']
    assert video.shape == (3, 16, 16, 16)
    assert torch.equal(video[:, 8:], video[:, 7:8].expand(-1, 8, -1, -1))
    sample = found['data_samples']
    assert sample.frame_indices.tolist() == [*range(1, 9), *[8] * 8]
    # Decoded a few at a time, it is held once; the crop is that of the whole clip.
    monkeypatch.setattr('mmsign.apis.pipeline.CHUNK_BYTES', 3 * 48 * 64 * 3)
    again = pipeline.prepare(open_clip(FRAMES), POSE)
    assert torch.equal(again['inputs']['video'], video)
    assert again['data_samples'].crop_box == sample.crop_box


@pytest.mark.parametrize(
    ('names', 'frames'),
    [
        (('load', 'sample', 'decode', 'hold', 'resize', 'pack'), 8),
        (('load', 'sample', 'decode', 'resize', 'hold', 'pack'), 6),
    ],
)
def test_where_and_how_long_the_last_frame_can_be_held(names, frames, monkeypatch):
    monkeypatch.setitem(MORE, 'hold', dict(type='HoldLast', frames=frames))
    with pytest.raises(ValueError, match='HoldLast'):
        Pipeline(transforms(*names))


# Heatmaps of another resolution -------------------------------------------------------


KEYPOINTS = 'load', 'sample', 'crop', 'pack'


@pytest.mark.parametrize('size', [(128, 72), (64, 48), None])
def test_keypoints_are_measured_in_pixels_of_training(size):
    pose = np.array(POSE[:8])
    pose[0, :2] = (3.0, -0.5, 0.25), (0.0, 47.5, 1.0)
    pipeline = Pipeline(transforms(*KEYPOINTS, frames=False), size)
    found = pipeline.prepare(open_clip(FRAMES[:8]), pose)
    keypoints, box = pose[0, :2], (16.0, 12.0, 32.0, 24.0)
    if size == (128, 72):
        # Twice as wide, half again as high; borders of pixels stay borders.
        keypoints, box = [[6.5, -0.5, 0.25], [0.5, 71.5, 1.0]], (32.0, 18.0, 64.0, 36.0)
    np.testing.assert_allclose(found['inputs']['keypoints'][0, :2], keypoints)
    assert found['data_samples'].crop_box == box
    assert pose[0, 0, 0] == 3  # the argument stays


def test_a_video_four_times_as_large_looks_the_same(inferencer):
    large = np.array(POSE)
    large[..., :2] = (POSE[..., :2] + 0.5) * 4 - 0.5
    one, other = (
        inferencer.preprocess(np.zeros((10, *size, 3), np.uint8), pose).prepared
        for size, pose in (((48, 64), POSE), ((192, 256), large))
    )
    assert one['data_samples'].crop_box == other['data_samples'].crop_box
    torch.testing.assert_close(one['inputs']['keypoints'], other['inputs']['keypoints'])
