from __future__ import annotations

import pickle

import numpy as np
import pytest

from mmsign.datasets.feature_file import (
    ClipFeatures,
    FeatureFileError,
    write_features,
)
from mmsign.datasets.transforms import LoadFeatures


def test_features_take_the_place_of_frames(tmp_path):
    path = str(tmp_path / 'f.safetensors')
    streams = dict(video=np.ones((2, 5)), keypoint=np.zeros((2, 3)))
    write_features(path, dict(a=ClipFeatures(streams, np.arange(2, 10), 13)), 'net')
    # Also in a worker process.
    load = pickle.loads(pickle.dumps(LoadFeatures(path)))
    info = dict(clip_id='a', signer='S', glosses=['X'], text='x .', num_frames=None)
    packed = load(info)
    sample = packed['data_samples']
    assert {k: tuple(v.shape) for k, v in packed['inputs'].items()} == dict(
        video_features=(2, 5), keypoint_features=(2, 3)
    )
    assert (sample.length, sample.num_frames, sample.text) == (8, 13, 'x .')
    assert sample.frame_indices.tolist() == list(range(2, 10))
    with pytest.raises(FeatureFileError, match='clip b'):
        load(dict(info, clip_id='b'))
