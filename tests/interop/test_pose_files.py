"""``.pose`` files, by pose-format if it is there, and by a stand-in for it."""

from __future__ import annotations

import importlib.util

import numpy as np
import poses
import pytest

from mmsign.errors import DataError, MissingPackageError
from mmsign.interop.mediapipe_points import HOLISTIC, MEDIAPIPE_TABLE, placed
from mmsign.interop.pose_files import LAYOUTS, read_pose, write_pose
from mmsign.keypoints import NAMES, SELECTED_79, select_79

THERE = importlib.util.find_spec('pose_format') is not None


@pytest.fixture(autouse=True, params=['pose-format', 'stand-in'])
def library(request, monkeypatch):
    if request.param == 'stand-in':
        poses.stand_in(monkeypatch)
    elif not THERE:
        pytest.skip('pose-format is not installed')


def parts_of(layout: str) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for name in LAYOUTS[layout]:
        part, _, point = name.partition('.')
        if not part.endswith('_133'):
            parts.setdefault(part, []).append(point)
    return parts


@pytest.mark.parametrize('count', [133, 79])
def test_a_round_trip_loses_nothing(tmp_path, count):
    points = np.random.default_rng(0).uniform(1, 90, (5, count, 3))
    points[..., 2] = points[..., 2] / 100
    points[2, 7] = (-200, -100, 0)  # not found
    path = tmp_path / 'new' / 'a.pose'
    write_pose(path, points, (200, 100), 29.97)
    found = read_pose(path)
    assert found.frame_size == (200, 100) and found.fps == pytest.approx(29.97)
    ours = select_79(points)
    back = placed(found.points, (200, 100), normalized=False)
    np.testing.assert_allclose(back, ours, atol=1e-4)
    assert np.isfinite(found.points[0, :, 2]).sum() == count


@pytest.mark.parametrize(('layout', 'least'), [*zip(LAYOUTS, (79, 121, 133))])
def test_every_layout_has_all_that_the_network_sees(layout, least):
    indices = {i for name, i in LAYOUTS[layout].items() if not name.startswith('_')}
    assert indices >= set(SELECTED_79) and len(indices) == least


def point(name: str) -> int:
    return NAMES.index(name)


@pytest.mark.parametrize(
    ('layout', 'names', 'shift'),
    [
        (
            'MediaPipe Holistic',
            {
                'nose': 'POSE_LANDMARKS.NOSE',
                'left_wrist': 'POSE_LANDMARKS.LEFT_WRIST',
                'face_33': 'FACE_LANDMARKS.2',
                'left_hand_8': 'LEFT_HAND_LANDMARKS.INDEX_FINGER_TIP',
                'right_hand_17': 'RIGHT_HAND_LANDMARKS.PINKY_MCP',
            },
            0.5,
        ),
        (
            'OpenPose 137',
            {
                'nose': 'pose_keypoints_2d.Nose',
                'left_wrist': 'pose_keypoints_2d.LWrist',
                'face_33': 'face_keypoints_2d.FN_33',
                'left_hand_8': 'hand_left_keypoints_2d.I_DIP',
                'right_hand_17': 'hand_right_keypoints_2d.P_CMC',
            },
            0.0,
        ),
        (
            'COCO-WholeBody 133',
            {
                'nose': 'BODY.nose',
                'left_wrist': 'BODY.left_wrist',
                'face_33': 'FACE.face-33',
                'left_hand_8': 'LEFT_HAND.hand_8',
                'right_hand_17': 'RIGHT_HAND.hand_17',
            },
            0.0,
        ),
    ],
)
def test_points_of_each_layout(tmp_path, layout, names, shift):
    """Where the libraries of the layouts say that they are; in any order."""
    parts = {part: points[::-1] for part, points in parts_of(layout).items()}
    parts['OTHERS'] = ['x', 'y']
    order = [f'{part}.{name}' for part, points in parts.items() for name in points]
    data = np.arange(3 * len(order) * 2.0).reshape(3, 1, len(order), 2) % 97 + 1
    confidence = np.full(data.shape[:3], 0.5)
    confidence[1] = 0
    poses.write_foreign(tmp_path / 'a.pose', parts, data, confidence)
    found = read_pose(tmp_path / 'a.pose')
    for ours, theirs in names.items():
        index = SELECTED_79[point(ours)]
        expected = [*(data[0, 0, order.index(theirs)] - shift), 0.5]
        np.testing.assert_allclose(found.points[0, index], expected, rtol=1e-6)
    assert np.isnan(found.points[1]).all()
    makers = {'MediaPipe Holistic': HOLISTIC, 'OpenPose 137': 'openpose'}
    assert found.estimator == makers.get(layout)
    if layout == 'MediaPipe Holistic':
        mine = {i: name for name, i in MEDIAPIPE_TABLE.items()}
        assert mine[SELECTED_79[point('face_33')]] == 'face_2'


def test_the_signer_is_followed(tmp_path, capsys):
    """Not who is listed first in a frame."""
    parts = {'BODY': ['nose', 'left_shoulder', 'right_shoulder']}
    signer, other = [(50, 20), (80, 60), (20, 60)], [(150, 20), (155, 25), (145, 25)]
    frames = [[signer, other], [other, signer], [signer, other]] * 3
    data = np.array(frames, float)
    poses.write_foreign(tmp_path / 'a.pose', parts, data, np.ones(data.shape[:3]))
    told = []
    found = read_pose(tmp_path / 'a.pose', notify=told.append)
    np.testing.assert_array_equal(found.points[:, 0, :2], [(50, 20)] * 9)
    assert 'up to 2 persons' in told[0]


def test_another_layout_by_a_table(tmp_path):
    data = np.full((2, 1, 2, 3), 7.0)
    path = tmp_path / 'a.pose'
    poses.write_foreign(path, {'BODY_135': ['Nose', 'LEye']}, data, np.ones((2, 1, 2)))
    with pytest.raises(DataError, match=r'unknown layout.*BODY_135 \(2\).*OpenPose'):
        read_pose(path)
    found = read_pose(path, {'BODY_135.Nose': 0})
    assert found.points[0, 0].tolist() == [7, 7, 1]
    assert np.isfinite(found.points[0, :, 2]).sum() == 1


@pytest.mark.parametrize(
    ('size', 'fps', 'frames', 'message'),
    [
        ((1, 1), 25.0, 1, 'normalized'),
        ((9, 9), 0.0, 1, '0 frames/s'),
        ((9, 9), 25.0, 0, '0 frames of 1 persons'),
    ],
)
def test_what_a_file_must_say(tmp_path, size, fps, frames, message):
    data = np.ones((frames, 1, 1, 2))
    poses.write_foreign(
        tmp_path / 'a.pose', {'BODY': ['nose']}, data, data[..., 0], size, fps
    )
    with pytest.raises(DataError, match=rf'a\.pose.*{message}'):
        read_pose(tmp_path / 'a.pose')


def test_nobody_in_more_frames_than_there_are(tmp_path):
    """Frames of nobody take no bytes: a file can claim any number of them."""
    write_pose(tmp_path / 'a.pose', np.ones((1, 133, 3)), (9, 9), 25.0)
    whole = (tmp_path / 'a.pose').read_bytes()
    place = whole.index(np.array([25.0], '<f4').tobytes())
    counts = np.array([2**31], '<u4').tobytes() + bytes(2)
    (tmp_path / 'a.pose').write_bytes(whole[: place + 4] + counts)
    with pytest.raises(DataError, match=r'a\.pose'):
        read_pose(tmp_path / 'a.pose')


def test_files_that_are_none(tmp_path):
    path = tmp_path / 'a.pose'
    write_pose(path, np.ones((3, 133, 3)), (9, 9), 25)
    whole = path.read_bytes()
    for content in (b'', b'pose', whole[:100], whole[:-50], whole[:4] + bytes(500)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r'a\.pose'):
            read_pose(path)
    with pytest.raises(FileNotFoundError, match='gone'):
        read_pose(tmp_path / 'gone.pose')
    with pytest.raises(DataError, match='133'):
        write_pose(tmp_path / 'b.pose', np.ones((3, 17, 3)), (9, 9), 25)
    assert not (tmp_path / 'b.pose').exists()


def test_the_extra_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'pose_format', None)
    with pytest.raises(MissingPackageError, match=r'mmsign\[files\]'):
        read_pose(tmp_path / 'a.pose')
