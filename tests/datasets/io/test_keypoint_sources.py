import os
import pickle

import numpy as np
import pytest
import torch
from mmpose_files import write_mmpose_json

from mmsign.datasets import write_keypoints
from mmsign.datasets.io.keypoint_sources import open_keypoint_sources
from mmsign.errors import DataError

POINTS = np.random.default_rng(0).uniform(0, 200, (2, 133, 3))


def read(*paths) -> dict:
    """Arrays by clip; of clips that cannot be read the error."""
    found = {}
    for clip_id, load in open_keypoint_sources(paths).items():
        try:
            found[clip_id] = load()
        except DataError as error:
            found[clip_id] = error
    return found


def test_every_kind_of_source(tmp_path):
    write_mmpose_json(tmp_path / 'poses' / 'a.mmpose.json', POINTS)
    write_mmpose_json(tmp_path / 'poses' / 'dev' / 'b.JSON', POINTS[:1])
    write_keypoints(tmp_path / 'k.safetensors', dict(c=POINTS))
    pickled = {
        'train/d': dict(keypoints=POINTS),
        'e': dict(keypoints=torch.ones(1, 133, 3)),
    }
    (tmp_path / 'k.pkl').write_bytes(pickle.dumps(pickled))
    found = read(*map(tmp_path.joinpath, ('poses', 'k.safetensors', 'k.pkl')))
    assert list(found) == ['a', 'dev/b', 'c', 'd', 'e']
    np.testing.assert_allclose(found['a'], POINTS, rtol=1e-6)
    np.testing.assert_allclose(found['c'], POINTS, atol=0.07)
    np.testing.assert_array_equal(found['d'], POINTS)
    assert found['dev/b'].shape == found['e'].shape == (1, 133, 3)
    assert list(read(tmp_path / 'poses' / 'dev' / 'b.JSON')) == ['b']


def test_the_clips_lengths_are_handed_on(tmp_path):
    write_mmpose_json(tmp_path / 'a.json', POINTS[:1], [0])
    for length in (None, 3):
        clips = open_keypoint_sources([tmp_path], dict(a=length).get)
        assert len(clips['a']()) == (length or 1)


def test_a_source_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone'):
        open_keypoint_sources([tmp_path / 'gone'])


@pytest.mark.parametrize(
    ('content', 'named'),
    [
        ([], 'k.pkl'),
        ({}, 'k.pkl'),
        (print, 'print'),
        ({'a': np.zeros((1, 133, 3))}, 'a'),
        ({'a': dict(keypoints=np.zeros((1, 79, 3)))}, 'a'),
        ({7: dict(keypoints=np.zeros((1, 133, 3)))}, '7'),
        ({k: dict(keypoints=np.zeros((1, 133, 3))) for k in ('a', 'dev/a')}, 'dev/a'),
    ],
)
def test_pickles_that_are_refused(tmp_path, content, named):
    path = tmp_path / 'k.pkl'
    path.write_bytes(pickle.dumps(content))
    (error,) = read(path).values()
    assert isinstance(error, DataError)
    assert named in str(error) and str(path) in str(error)


def test_what_is_damaged_leaves_the_rest(tmp_path):
    write_mmpose_json(tmp_path / 'a.json', POINTS)
    write_mmpose_json(tmp_path / 'twice.json', POINTS)
    write_mmpose_json(tmp_path / 'twice.mmpose.json', POINTS)
    (tmp_path / 'cut.json').write_text('[{"instances": [')
    (tmp_path / 'nobody.json').write_text('[{"instances": []}]')
    (tmp_path / 'k.pkl').write_bytes(b'nonsense')
    (tmp_path / 'empty').mkdir()
    sources = [tmp_path, tmp_path / 'k.pkl', tmp_path / 'empty']
    found = read(*sources)
    errors = {k: v for k, v in found.items() if isinstance(v, DataError)}
    assert set(found) - set(errors) == {'a'}
    assert set(errors) == {'twice', 'cut', 'nobody', *map(os.fspath, sources[1:])}
    for name, error in errors.items():
        assert name in str(error)
