import json
from types import SimpleNamespace

import numpy as np
import pytest

from mmsign.errors import DataError
from mmsign.interop.mediapipe_points import (
    MEDIAPIPE_TABLE,
    holistic_points,
    keypoints_79,
    read_landmarks,
    read_table,
)
from mmsign.keypoints import LEFT_RIGHT, PARTS, SELECTED_79

SOURCE = {target: name for name, target in MEDIAPIPE_TABLE.items()}


def test_every_keypoint_of_the_network_has_one_landmark():
    assert len(SOURCE) == len(MEDIAPIPE_TABLE) == 79
    assert set(SOURCE) == set(SELECTED_79)


@pytest.mark.parametrize(
    ('name', 'index'),
    [
        ('pose_0', 0),  # nose
        ('pose_15', 9),  # left wrist
        ('pose_16', 10),  # right wrist
        ('left_hand_8', 99),  # tip of the left index finger
        ('right_hand_20', 132),  # tip of the right little finger
        ('face_33', 59),  # outer corner of the right eye
        ('face_263', 68),  # outer corner of the left eye
        ('face_61', 71),  # right corner of the mouth
        ('face_13', 85),  # upper inner lip
        ('face_4', 53),  # tip of the nose
    ],
)
def test_landmarks_go_where_they_belong(name, index):
    assert MEDIAPIPE_TABLE[name] == index


def test_sides_are_not_mixed():
    """MediaPipe's own mirror pairs are pairs of the network's channels."""
    mirrored = {2: 5, 7: 8, 11: 12, 13: 14, 15: 16}
    pairs = {(f'pose_{a}', f'pose_{b}') for a, b in mirrored.items()}
    pairs |= {(f'left_hand_{i}', f'right_hand_{i}') for i in range(21)}
    # Left, right: eyes, mouth.
    faces = [(263, 33), (362, 133), (291, 61), (267, 37), (314, 84), (308, 78)]
    pairs |= {(f'face_{a}', f'face_{b}') for a, b in faces}
    found = {
        (SOURCE[SELECTED_79[left]], SOURCE[SELECTED_79[right]])
        for left, right in LEFT_RIGHT
    }
    assert found == pairs


def test_shares_of_the_frame_become_pixels():
    points = keypoints_79([{'pose_0': (0.5, 0.25, 0.75)}], frame_size=(200, 100))
    assert points.shape == (1, 79, 3) and points.dtype == np.float32
    np.testing.assert_allclose(points[0, PARTS['upper_body']][0], (99.5, 24.5, 0.75))


def test_pixels_stay_and_a_missing_score_is_one():
    points = keypoints_79([{'pose_0': (5, 6)}], normalized=False, frame_size=(9, 9))
    np.testing.assert_array_equal(points[0, 68], (5, 6, 1))


def test_what_does_not_exist_has_score_zero_and_no_heatmap():
    frames = [
        {'pose_0': (5, 6), 'pose_32': (1, 1)},
        {'pose_0': (np.nan, 1)},
        {'pose_0': (1e9, 1)},
    ]
    points = keypoints_79(frames, frame_size=(210, 260), normalized=False)
    assert (points[..., 2] > 0).sum() == 1
    missing = points[points[..., 2] == 0]
    np.testing.assert_array_equal(missing, [(-210, -260, 0)] * (3 * 79 - 1))
    assert keypoints_79([]).shape == (0, 79, 3)


def test_scores_are_limited():
    frames = [{'pose_0': (0, 0, 7.0)}, {'pose_0': (0, 0, -1.0)}]
    assert keypoints_79(frames)[:, 68, 2].tolist() == [1, 0]


def test_another_table():
    points = keypoints_79(
        [{'tip': (3, 4, 0.5)}], {'tip': 99}, frame_size=(9, 9), normalized=False
    )
    channel = SELECTED_79.index(99)
    np.testing.assert_array_equal(points[0, channel], (3, 4, 0.5))


def test_faulty_points_and_tables_are_refused():
    with pytest.raises(ValueError, match="'tip'.*133"):
        keypoints_79([], {'tip': 133})
    with pytest.raises(ValueError, match="frame 1: 'pose_0' has 4 values"):
        keypoints_79([{}, {'pose_0': (1, 2, 3, 4)}])


def test_what_mediapipe_returns():
    mark = SimpleNamespace(x=0.1, y=0.2, z=0.3, visibility=0.4)
    result = SimpleNamespace(
        pose_landmarks=SimpleNamespace(landmark=[mark]),
        face_landmarks=None,
        left_hand_landmarks=[mark, dict(x=0.5, y=0.6)],
    )
    assert holistic_points(result) == {
        'pose_0': (0.1, 0.2, 0.4),
        'left_hand_0': (0.1, 0.2),
        'left_hand_1': (0.5, 0.6),
    }


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes, name: str):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_csv_with_types_and_numbers(write):
    path = write(
        'frame,row_id,type,landmark_index,x,y,z\n'
        '20,20-face-0,face,0,0.1,0.2,0\n'
        '20,20-pose-3,pose,3,0.3,0.4,0\n'
        '20,20-left,left_hand,0,,,\n'
        '22,22-pose-3,pose,3,0.5,0.6,0\n',
        'a.csv',
    )
    assert read_landmarks(path) == [
        {'face_0': (0.1, 0.2), 'pose_3': (0.3, 0.4)},
        {},
        {'pose_3': (0.5, 0.6)},
    ]


def test_csv_with_names_and_scores(write):
    path = write('\ufeffframe,point,x,y,score\n0,nose,1,2,0.5\n0,tip,3,4,\n', 'a.csv')
    assert read_landmarks(path) == [{'nose': (1, 2, 0.5), 'tip': (3, 4)}]


def test_json_of_named_points_and_of_mediapipe(write):
    frames = [
        {'nose': [1, 2, 0.5], 'tip': None},
        {'pose_landmarks': [{'x': 0.1, 'y': 0.2, 'visibility': 0.3}]},
        {},
    ]
    assert read_landmarks(write(json.dumps(frames), 'a.json')) == [
        {'nose': (1, 2, 0.5)},
        {'pose_0': (0.1, 0.2, 0.3)},
        {},
    ]


@pytest.mark.parametrize(
    ('text', 'name', 'named'),
    [
        ('', 'a.csv', 'columns none'),
        ('frame,x,y\n0,1,2\n', 'a.csv', 'columns frame, x, y'),
        ('frame,point,x,y\n0,a,1,2\n0,b,one,2\n', 'a.csv', 'line 3'),
        ('frame,point,x,y\n-1,a,1,2\n', 'a.csv', 'line 2'),
        ('frame,point,x,y\n0,a,1,2\n1000000000,a,1,2\n', 'a.csv', '1000000000'),
        ('frame,point,x,y\n0,a,1,2\n0,a,3,4\n', 'a.csv', 'line 3'),
        (f'frame,point,x,y\n0,{"a" * 200_000},1,2\n', 'a.csv', 'line'),
        ('frame,point,x,y\n0,a\n', 'a.csv', ''),
        (b'frame,point\xff', 'a.csv', 'UTF-8'),
        ('frame,point,x,y\n', 'a.csv', ''),
        ('[{}, {}]', 'a.json', ''),
        ('{}', 'a.json', 'list'),
        ('[', 'a.json', 'JSON'),
        ('9' * 5000, 'a.json', 'JSON'),
        ('[{"a": [1, 2]}, 3]', 'a.json', 'frame 1'),
        ('[{"a": ["x", 2]}]', 'a.json', 'frame 0'),
        ('', 'a.txt', r'\.csv or \.json'),
    ],
)
def test_faulty_files_are_refused(write, text, name, named):
    with pytest.raises(DataError, match=rf'{name}.*{named}'):
        read_landmarks(write(text, name))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'absent\.csv does not exist'):
        read_landmarks(tmp_path / 'absent.csv')


def test_a_table_is_names_with_indices(write):
    assert read_table(write('{"nose": 0, "tip": 99}', 't.json')) == dict(nose=0, tip=99)
    for text in ('[1]', '{"nose": "0"}', '{"nose": true}', '{'):
        with pytest.raises(DataError, match=r't\.json'):
            read_table(write(text, 't.json'))
