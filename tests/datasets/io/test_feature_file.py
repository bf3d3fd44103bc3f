from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mmsign.datasets.io.feature_file import (
    ClipFeatures,
    FeatureFile,
    join_features,
    write_features,
)
from mmsign.errors import DataError


def features(steps: int, seed: int = 0) -> ClipFeatures:
    rng = np.random.default_rng(seed)
    streams = dict(
        video=rng.random((steps, 5), dtype=np.float32),
        keypoint=rng.random((steps, 3), dtype=np.float32),
    )
    return ClipFeatures(streams, np.arange(2, 2 + 4 * steps), 4 * steps + 5)


def assert_same(found: ClipFeatures, expected: ClipFeatures) -> None:
    assert set(found.streams) == set(expected.streams)
    for stream, values in expected.streams.items():
        assert found.streams[stream].dtype == np.float32
        np.testing.assert_allclose(found.streams[stream], values, atol=1e-3)
    assert found.frame_indices.tolist() == expected.frame_indices.tolist()
    assert found.num_frames == expected.num_frames


def test_what_is_written_is_read(tmp_path):
    clips = {'a/b': features(3), 'c': features(1, 1)}
    write_features(tmp_path / 'f.safetensors', clips, 'net')
    file = FeatureFile(tmp_path / 'f.safetensors')
    assert file.network == 'net'
    assert file.streams == ('keypoint', 'video')
    assert file.clip_ids == ['a/b', 'c']
    for clip_id, expected in clips.items():
        assert_same(file.read(clip_id), expected)


def test_parts_are_joined(tmp_path):
    clips = {f'clip{i}': features(i + 1, i) for i in range(5)}
    parts = []
    for number, chosen in enumerate((['clip0', 'clip3'], ['clip1', 'clip2', 'clip4'])):
        parts.append(tmp_path / f'{number}.safetensors')
        write_features(parts[-1], {k: clips[k] for k in chosen}, 'net')
    whole = tmp_path / 'whole.safetensors'
    join_features(parts, whole)
    file = FeatureFile(whole)
    for clip_id, expected in clips.items():
        assert_same(file.read(clip_id), expected)
    assert len(load_file(whole)) == 15
    write_features(parts[0], dict(x=features(1)), 'other')
    with pytest.raises(DataError, match='network'):
        join_features(parts, whole)


def test_open_once(tmp_path):
    path = str(tmp_path / 'f.safetensors')
    write_features(path, dict(a=features(1)), 'net')
    assert FeatureFile.open(path) is FeatureFile.open(path)
    with pytest.raises(FileNotFoundError, match='extract_features'):
        FeatureFile.open(str(tmp_path / 'none')).read('a')


def test_faults(tmp_path):
    path = tmp_path / 'f.safetensors'
    write_features(path, dict(a=features(1)), 'net')
    with pytest.raises(DataError, match='clip b'):
        FeatureFile(path).read('b')
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=path.name):
        FeatureFile(path).read('a')
    save_file(dict(a=np.zeros(1)), path)
    with pytest.raises(DataError, match=path.name):
        FeatureFile(path).read('a')
