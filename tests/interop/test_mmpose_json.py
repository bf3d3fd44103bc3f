import json

import numpy as np
import pytest

from mmsign.interop.mmpose_json import read_mmpose_json


def person(x: float, score: float) -> dict:
    return dict(keypoints=[[x, 1.0], [x + 1, 2.0]], keypoint_scores=[score, score])


def write(path, frames) -> str:
    path.write_text(json.dumps(frames))
    return str(path)


def test_best_person_of_each_frame_and_empty_frames(tmp_path):
    frames = [
        dict(frame_id=0, instances=[person(5, 0.2), person(9, 0.8)]),
        dict(frame_id=1, instances=[]),
    ]
    poses = read_mmpose_json(write(tmp_path / 'a.json', frames))
    assert poses.dtype == np.float32
    np.testing.assert_allclose(poses[0], [[9, 1, 0.8], [10, 2, 0.8]])
    assert not poses[1].any()
    # As MMPose's demo for top-down networks writes it.
    demo = write(tmp_path / 'b.json', dict(meta_info={}, instance_info=frames))
    np.testing.assert_array_equal(read_mmpose_json(demo), poses)


@pytest.mark.parametrize(
    ('frames', 'message'),
    [
        ([], 'one entry per frame'),
        ([dict(frame_id=0)], 'frame 0 is not laid out'),
        ([dict(instances=[])], 'no person in any frame'),
        (
            [dict(instances=[dict(keypoints=[[1, 2]], keypoint_scores=[1, 2])])],
            'frame 0',
        ),
        ([dict(instances=[dict(keypoints=['ab'], keypoint_scores=['a'])])], 'frame 0'),
        ([dict(instances=[dict(keypoints=[], keypoint_scores=[])])], 'frame 0'),
        ([dict(instances=[person(1e300, 1.0)])], 'is not finite'),
        (['instances'], 'frame 0'),
    ],
)
def test_other_layouts_are_refused(tmp_path, frames, message):
    with pytest.raises(ValueError, match=message):
        read_mmpose_json(write(tmp_path / 'a.json', frames))


def test_not_json(tmp_path):
    path = tmp_path / 'a.json'
    for content in (b'nonsense', b'\xff', b'[' * 100_000):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='is not a JSON file'):
            read_mmpose_json(path)
