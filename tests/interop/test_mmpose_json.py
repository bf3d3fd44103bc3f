import json

import numpy as np
import pytest

from mmsign.errors import DataError
from mmsign.interop.mmpose_json import read_mmpose_json


def person(x: float, score: float) -> dict:
    return dict(keypoints=[[x, 1.0], [x + 1, 2.0]], keypoint_scores=[score, score])


@pytest.fixture
def read(tmp_path):
    """Read what is written as JSON."""

    def read(entries, length=None, notify=str):
        path = tmp_path / 'a.json'
        path.write_text(json.dumps(entries))
        return read_mmpose_json(path, length, notify)

    return read


def entries(*ids: int | None) -> list[dict]:
    """An entry per frame: frame i has a person at x = 10 i."""
    return [dict(frame_id=i, instances=[person(10 * i, 0.5)]) for i in ids]


def places(poses: np.ndarray) -> list[float]:
    """x of the first point of each frame; -1 where nobody is."""
    assert poses.dtype == np.float32 and poses.shape[1:] == (2, 3)
    assert not poses[poses[..., 2] == 0].any()
    return [pose[0, 0] if pose[0, 2] else -1 for pose in poses]


def test_the_files_of_inferencer_and_demo(read):
    frames = [dict(instances=[person(5, 0.2)]), dict(instances=[])]
    poses = read(frames)
    np.testing.assert_allclose(poses[0], [[5, 1, 0.2], [6, 2, 0.2]])
    assert places(poses) == [5, -1]
    demo = read(dict(meta_info={}, instance_info=frames))
    np.testing.assert_array_equal(demo, poses)


@pytest.mark.parametrize(
    ('ids', 'length', 'expected'),
    [
        ([2, 0, 1], None, [0, 10, 20]),
        ([3, 1, 2], None, [10, 20, 30]),
        ([0, 3], None, [0, -1, -1, 30]),
        ([0, 1], 4, [0, 10, -1, -1]),
        ([1, 2], 4, [10, 20, -1, -1]),
        ([2, 4], 4, [-1, 20, -1, 40]),
        ([2, 3], 5, [-1, -1, 20, 30, -1]),
        ([5, 2], None, [-1, -1, 20, -1, -1, 50]),
    ],
)
def test_entries_belong_to_the_frames_that_they_name(read, ids, length, expected):
    assert places(read(entries(*ids), length)) == expected


@pytest.mark.parametrize(
    ('ids', 'length', 'named'),
    [
        ([0, 1, 0], None, 'frame_id 0'),
        ([0, 1, 2], 2, 'frame_id 2'),
        ([1, 2, 3], 2, 'frame_id 3'),
        ([0, 3], 3, 'frame_id 3'),
        ([-1, 0], None, '-1'),
        ([0, 10**9], None, '1000000000'),
    ],
)
def test_frames_that_cannot_be(read, ids, length, named):
    with pytest.raises(DataError, match=rf'a\.json.*{named}'):
        read(entries(*ids), length)


@pytest.mark.parametrize('number', ['1', 1.0, True, [1], None])
def test_frame_ids_that_are_none(read, number):
    frames = entries(0, 1)
    frames[1]['frame_id'] = number
    with pytest.raises(DataError, match=r'a\.json: entry 1'):
        read(frames)


def test_entries_without_a_number_are_as_many_as_frames(read):
    frames = [dict(instances=[person(x, 0.5)]) for x in (3, 4)]
    assert places(read(frames, 2)) == [3, 4]
    for length in (1, 3):
        with pytest.raises(DataError, match=r'a\.json: 2 entries'):
            read(frames, length)


def test_one_person_is_followed_and_it_is_said(read):
    frames = entries(*range(6))
    for frame in frames:
        frame['instances'] = [person(5, 0.5)]
    for number in (2, 3):
        frames[number]['instances'].insert(0, person(90, 0.9))
    del frames[3]['instances'][1]
    notices = []
    assert places(read(frames, notify=notices.append)) == [5, 5, 5, -1, 5, 5]
    (notice,) = notices
    assert 'a.json' in notice and '2 persons' in notice and '5 of 6' in notice


@pytest.mark.parametrize(
    ('frames', 'named'),
    [
        ([], 'one entry per frame'),
        ([dict(frame_id=0)], 'entry 0'),
        ([dict(instances=[])], 'no person in any frame'),
        ([dict(instances=[dict(keypoints=[[1, 2]], keypoint_scores=[1, 2])])], '0'),
        ([dict(instances=[dict(keypoints=['ab'], keypoint_scores=['a'])])], 'entry 0'),
        ([dict(instances=[dict(keypoints=[], keypoint_scores=[])])], 'entry 0'),
        ([dict(instances=[person(1e300, 1.0)])], 'not finite'),
        (['instances'], 'entry 0'),
    ],
)
def test_other_layouts_are_refused(read, frames, named):
    with pytest.raises(DataError, match=rf'a\.json.*{named}'):
        read(frames)


@pytest.mark.parametrize('content', [b'nonsense', b'\xff', b'[' * 100_000])
def test_not_json(tmp_path, content):
    (tmp_path / 'a.json').write_bytes(content)
    for path in (tmp_path / 'a.json', tmp_path / 'absent.json'):
        with pytest.raises(DataError, match=path.name):
            read_mmpose_json(path)


@pytest.mark.parametrize(('numbers', 'told'), [(range(0, 20, 2), 1), (range(18), 0)])
def test_frames_without_an_entry_are_told(tmp_path, numbers, told):
    person = dict(keypoints=[[1.0, 2.0]], keypoint_scores=[0.9])
    entries = [dict(frame_id=number, instances=[person]) for number in numbers]
    path, notices = tmp_path / 'clip.json', []
    path.write_text(json.dumps(entries))
    read_mmpose_json(path, 20, notices.append)
    assert len(notices) == told
    assert all('no entry for 10 of 20 frames' in notice for notice in notices)
