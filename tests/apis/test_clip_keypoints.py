from __future__ import annotations

import json

import numpy as np
import pytest
from mmpose_files import write_mmpose_json
from tiny_network import keypoints_of

from mmsign.apis.clip_keypoints import (
    estimate_keypoints,
    person_share,
    read_keypoints,
    selected,
)
from mmsign.apis.clips import Clip, open_clip
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.errors import ClipError, DataError
from mmsign.keypoints import FACES, PARTS, SELECTED_79

# As a file holds them.
POSE = keypoints_of(5).astype(np.float16).astype(np.float32)
USED = POSE[:, SELECTED_79]


@pytest.fixture
def clip() -> Clip:
    """Five frames of 64×48 pixels, each of one value: its number."""
    numbers = np.arange(5, dtype=np.uint8)
    return open_clip(np.tile(numbers[:, None, None, None], (1, 48, 64, 3)))


def test_arrays_in_both_layouts(clip):
    for given in (POSE, USED, POSE.astype(np.float64)):
        found = read_keypoints(given, clip)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, USED)


def test_whose_points_of_the_face(clip, tmp_path):
    expected = POSE[:, FACES['mska']]
    path = tmp_path / 'one.safetensors'
    write_keypoints(path, {'clip-0': POSE})
    for given in (POSE, expected, path):
        np.testing.assert_array_equal(read_keypoints(given, clip, 'mska'), expected)
    found = estimate_keypoints(lambda frames: POSE, clip, np.arange(5), 'mska')
    np.testing.assert_array_equal(found, expected)
    write_keypoints(path, {'clip-0': USED}, 'mmsign_79')
    with pytest.raises(DataError, match="face='mska'"):
        read_keypoints(path, clip, 'mska')


def test_files_of_every_kind(clip, tmp_path):
    many, one = tmp_path / 'many.safetensors', tmp_path / 'one.SAFETENSORS'
    write_keypoints(many, {'clip-0': POSE, 'other': POSE[:3]}, frame_size=(64, 48))
    write_keypoints(one, {'named as it likes': POSE})
    mmpose = tmp_path / 'clip.json'
    write_mmpose_json(mmpose, POSE)
    for given in (many, one, mmpose, str(mmpose)):
        np.testing.assert_array_equal(read_keypoints(given, clip), USED)


def test_frames_without_an_entry_score_zero_and_several_persons_are_told(
    clip, tmp_path
):
    path = tmp_path / 'clip.json'
    write_mmpose_json(path, POSE[1:3], ids=[1, 2])
    entries = json.loads(path.read_text())
    for entry, number in zip(entries, (3, 0)):  # as the frames are counted from 0
        entry['frame_id'] = number
    entries[0]['instances'] *= 2
    path.write_text(json.dumps(entries))
    found = read_keypoints(path, clip)
    np.testing.assert_array_equal(found[[3, 0]], USED[1:3])
    assert not found[[1, 2, 4]].any()
    assert any('2 persons' in notice for notice in clip.notices)
    write_mmpose_json(path, POSE, ids=range(1, 6))
    np.testing.assert_array_equal(read_keypoints(path, clip), USED)
    write_mmpose_json(path, POSE, ids=[0, 1, 2, 3, 5])
    with pytest.raises(DataError, match=r'clip\.json.*frame_id 5'):
        read_keypoints(path, clip)


@pytest.mark.parametrize(
    ('keypoints', 'message'),
    [
        (POSE[:4], '5 frames, but 4 frames of keypoints in the array'),
        (POSE[:, :17], r'shape \(5, 17, 3\) in the array .*79 or 133, 3\)'),
        (POSE[..., :2], r'keypoints of shape \(5, 133, 2\)'),
        (POSE[0], r'keypoints of shape \(133, 3\)'),
        ('poses.txt', r'poses\.txt is neither \.safetensors'),
        (7, 'keypoints must be a file or an array, not int'),
    ],
)
def test_keypoints_that_do_not_fit(clip, keypoints, message):
    with pytest.raises(ClipError, match=f'^clip-0: .*{message}'):
        read_keypoints(keypoints, clip)


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite_are_pointed_at(clip, value):
    pose = USED.astype(np.float64)
    pose[3, 70, 1] = value
    pose[4, 0, 0] = np.nan
    with (
        np.errstate(over='ignore'),
        pytest.raises(ClipError, match='clip-0: keypoint 70 of frame 3 is not finite'),
    ):
        read_keypoints(pose, clip)


def test_files_that_are_missing_or_lack_the_clip(clip, tmp_path):
    for name in ('gone.json', 'gone.safetensors'):
        with pytest.raises(FileNotFoundError, match=f'^clip-0: no .*{name}$'):
            read_keypoints(tmp_path / name, clip)
    path = tmp_path / 'k.safetensors'
    write_keypoints(path, {'a': POSE, 'b': POSE})
    with pytest.raises(DataError, match=r'clip-0.*k\.safetensors'):
        read_keypoints(path, clip)


def test_keypoints_of_another_resolution(clip, tmp_path):
    path = tmp_path / '{k}.safetensors'
    write_keypoints(path, {'clip-0': POSE}, frame_size=(640, 480))
    message = r'clip-0.*64×48.*640×480.*{k}\.safetensors'
    with pytest.raises(DataError, match=message):
        read_keypoints(path, clip)


def test_an_estimator_sees_each_chosen_frame_once(clip):
    seen = []

    def estimator(frames):
        seen.extend(int(frame[0, 0, 0]) for frame in frames)
        return np.tile(np.float64(seen)[:, None, None], (1, 133, 3))

    found = estimate_keypoints(estimator, clip, np.array([0, 2, 2, 3, 3, 3]))
    assert seen == [0, 2, 3] and found.shape == (6, 79, 3)
    assert found.dtype == np.float32
    assert (found == np.float32([0, 2, 2, 3, 3, 3])[:, None, None]).all()


def test_estimators_that_return_something_else(clip):
    def estimate(points):
        return estimate_keypoints(lambda frames: points, clip, np.arange(5))

    with pytest.raises(ClipError, match='clip-0: .* keypoints of 3 frames for 5'):
        estimate(POSE[:3])
    with pytest.raises(ClipError, match=r'shape \(5, 17, 3\) in the estimator'):
        estimate(POSE[:, :17])


def test_what_is_selected_names_where_it_comes_from():
    np.testing.assert_array_equal(selected(POSE[:1], 'here', 'x'), USED[:1])
    with pytest.raises(ClipError, match=r'^x: keypoints of shape \(2,\) in here'):
        selected(np.zeros(2), 'here', 'x')


def test_the_upper_body_tells_whether_a_person_is_there():
    pose = np.ones((8, 79, 3), np.float32)
    pose[..., 2] = 0
    # Hands and face alone are nobody, half an upper body is somebody.
    pose[0, : PARTS['upper_body'].start, 2] = 1
    pose[1:4, PARTS['upper_body'].start :: 2, 2] = 1
    assert person_share(pose) == 3 / 8
    pose[..., 2] = 0.31
    assert person_share(pose) == 1
    pose[..., 2] = 0.29
    assert person_share(pose) == 0
