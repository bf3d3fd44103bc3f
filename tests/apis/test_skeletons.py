"""Clips of keypoints alone."""

from __future__ import annotations

import cv2
import numpy as np
import poses
import pytest
from tiny_network import keypoints_of, write_network
from tiny_video import SIZE

from mmsign.apis import SignInferencer
from mmsign.apis.outputs import write_result
from mmsign.apis.skeletons import clips_of
from mmsign.datasets import open_frames, write_keypoints
from mmsign.errors import ClipError, DataError
from mmsign.interop.elan import read_elan
from mmsign.interop.pose_files import write_pose


@pytest.fixture(scope='module')
def own(tmp_path_factory):
    """A network of keypoints alone."""
    files = write_network(tmp_path_factory.mktemp('skeleton'), ['keypoint'])
    return SignInferencer(*files, device='cpu')


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp('points') / 'k.safetensors'
    clips = {'dev/a': keypoints_of(24), 'b': keypoints_of(70, seed=1)}
    write_keypoints(path, clips, frame_size=SIZE)
    return path


def test_a_keypoint_file_is_a_clip(own, file, make_video):
    found = own(f'{file}@dev/a')
    expected = own(make_video(24), keypoints_of(24).astype(np.float16))
    assert found.outputs == expected.outputs and found.glosses
    assert found.num_frames == 24 and found.clip == f'{file}@dev/a'
    assert clips_of(str(file)) == [f'{file}@b', f'{file}@dev/a']
    assert clips_of('a.mp4') == ['a.mp4']
    twice = own(f'{file}@dev/a', fps=50.0)
    assert twice.duration == pytest.approx(found.duration / 2, abs=0.03)
    long = own(f'{file}@b')
    assert 'read in windows' in ' '.join(long.notices) and long.num_frames == 70
    assert 'no frame rate' in found.notices[0]
    assert 'no frame rate' not in ' '.join(twice.notices)


def test_a_pose_file_is_a_clip(own, inferencer, tmp_path, monkeypatch, make_video):
    poses.stand_in(monkeypatch)
    path = tmp_path / 'a.pose'
    write_pose(path, keypoints_of(48), SIZE, 50.0)
    found = own(path)
    assert (found.num_frames, found.duration) == (48, pytest.approx(0.96))
    assert 'resampled from 48 to 24' in found.notices[0] and found.glosses
    # And what it says of a video is that.
    both = inferencer(make_video(48, fps=50), path)
    assert both.outputs == inferencer(make_video(48, fps=50), keypoints_of(48)).outputs
    write_pose(path, keypoints_of(48), (99, 99), 50.0)
    with pytest.raises(ClipError, match=r'64×48 pixels, 99×99 in .*a\.pose'):
        inferencer(make_video(48, fps=50), path)


def test_it_is_drawn_on_plain_ground(own, file, tmp_path):
    job = own.preprocess(f'{file}@dev/a')
    own.forward([job])
    result = own.postprocess(job)
    for name in ('a.png', 'a.mp4', 'a.eaf'):
        write_result(str(tmp_path / name), result, own.network, job)
    frames = open_frames(str(tmp_path / 'a.mp4'))
    assert len(frames) == 24
    picture = frames.read([12])[0, :240].max(axis=2)
    assert (picture < 40).mean() > 0.5 and (picture > 100).any()
    assert cv2.imread(str(tmp_path / 'a.png')) is not None
    assert read_elan(tmp_path / 'a.eaf').media == ()


def test_what_it_cannot_be(own, inferencer, file, tmp_path):
    with pytest.raises(ClipError, match='2 clips .*b, dev/a.*name one'):
        own(file)
    with pytest.raises(DataError, match='gone'):
        own(f'{file}@gone')
    with pytest.raises(FileNotFoundError, match='no'):
        own(tmp_path / 'no.safetensors')
    with pytest.raises(ClipError, match='keypoints alone, but the network looks at'):
        inferencer(f'{file}@dev/a')
    write_keypoints(tmp_path / 'x.safetensors', dict(a=keypoints_of(9)))
    with pytest.raises(ClipError, match='no frame size'):
        own(tmp_path / 'x.safetensors')
