import json

import pytest

from mmsign.errors import DataError
from mmsign.interop.landmark_files import read_landmarks, read_table


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
