import json
import pickle

import numpy as np
import pytest

from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.io.keypoint_sources import open_keypoint_source

POINTS = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))


def write_json(path, points=POINTS) -> None:
    frames = [
        dict(
            instances=[
                dict(keypoints=f[:, :2].tolist(), keypoint_scores=f[:, 2].tolist())
            ]
        )
        for f in points
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(frames))


def read(path) -> dict:
    return {clip: load() for clip, load in open_keypoint_source(path).items()}


def test_every_kind_of_source(tmp_path):
    write_json(tmp_path / 'poses' / 'a.mmpose.json')
    write_json(tmp_path / 'poses' / 'dev' / 'b.json', POINTS[:1])
    found = read(tmp_path / 'poses')
    assert sorted(found) == ['a', 'dev/b'] and found['dev/b'].shape == (1, 133, 3)
    np.testing.assert_allclose(found['a'], POINTS, rtol=1e-6)
    assert list(read(tmp_path / 'poses' / 'dev' / 'b.json')) == ['b']
    write_keypoints(tmp_path / 'k.safetensors', dict(c=POINTS))
    np.testing.assert_allclose(read(tmp_path / 'k.safetensors')['c'], POINTS, atol=0.07)
    pickled = {'train/d': dict(keypoints=POINTS), 'e': dict(keypoints=POINTS)}
    (tmp_path / 'k.pkl').write_bytes(pickle.dumps(pickled))
    found = read(tmp_path / 'k.pkl')
    assert list(found) == ['d', 'e']
    np.testing.assert_array_equal(found['d'], POINTS)


def test_sources_that_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='no keypoints'):
        open_keypoint_source(tmp_path / 'gone')
    with pytest.raises(ValueError, match=r'holds no \.json file'):
        open_keypoint_source(tmp_path)
    write_json(tmp_path / 'a.json')
    write_json(tmp_path / 'a.mmpose.json')
    with pytest.raises(ValueError, match='a second file for clip a'):
        open_keypoint_source(tmp_path)
