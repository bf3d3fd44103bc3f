import pickle

import numpy as np
import pytest
import torch

from mmsign.interop.slrt_keypoints import read_slrt_keypoints


def write(tmp_path, value) -> str:
    path = tmp_path / 'k.pkl'
    path.write_bytes(pickle.dumps(value))
    return str(path)


def test_arrays_and_tensors(tmp_path):
    points = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))
    content = {
        'train/a': dict(keypoints=points),
        'b': dict(keypoints=torch.ones(1, 133, 3)),
    }
    found = read_slrt_keypoints(write(tmp_path, content))
    assert list(found) == ['a', 'b']
    np.testing.assert_array_equal(found['a'], points)
    assert found['b'].shape == (1, 133, 3)


OBJECTS = np.full((1, 133, 3), None)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([], 'found a list'),
        ({'a': np.zeros((1, 133, 3))}, 'clip a: expected an array'),
        ({'a': dict(keypoints=np.zeros((1, 79, 3)))}, r'found \(1, 79, 3\)'),
        ({'a': dict(keypoints=OBJECTS)}, r'k\.pkl: .*array of dtype object'),
        ({k: dict(keypoints=np.zeros((1, 133, 3))) for k in ('a', 'dev/a')}, 'twice'),
    ],
)
def test_other_contents_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_slrt_keypoints(write(tmp_path, content))
