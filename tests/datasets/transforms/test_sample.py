import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.datasets.transforms.sample import SampleClip


def sample(count: int, seed: int = 0, **kwargs) -> np.ndarray:
    np.random.seed(seed)
    keypoints = np.arange(count)[:, None, None] * np.ones((1, 2, 3))
    results = dict(clip_id='c', num_frames=count, keypoints=keypoints)
    results = SampleClip(**kwargs)(results)
    indices = results['frame_indices']
    # The same indices for the keypoints.
    np.testing.assert_array_equal(results['keypoints'][:, 0, 0], indices)
    return indices


@examples(200)
@given(count=st.integers(1, 700), seed=st.integers(0, 2**31))
def test_training(count, seed):
    indices = sample(count, seed)
    length = len(indices)
    assert length % 4 == 0 and (np.diff(indices) >= 0).all()
    assert indices.min() >= 0 and indices.max() < count
    if count >= 4:
        longest = min(400, int(1.5 * count))
        assert min(count // 2, 400) <= length < longest + 4
        assert len(np.unique(indices)) == min(length, count)
    assert length <= 400


@examples(200)
@given(count=st.integers(1, 900))
def test_evaluation(count):
    indices = sample(count, test=True)
    if count < 4:
        assert indices.tolist() == [*range(count), *[count - 1] * (4 - count)]
        return
    kept = min(count, 400)
    assert len(indices) == kept - kept % 4
    assert (np.diff(indices) == 1).all()
    assert indices[0] == (count - kept) // 2


@examples(100)
@given(
    count=st.integers(1, 300),
    seed=st.integers(0, 2**31),
    slowest=st.floats(0.05, 3),
    spread=st.floats(0, 3),
    stride=st.integers(1, 9),
    longest=st.integers(1, 30),
)
def test_any_range_stride_and_length(count, seed, slowest, spread, stride, longest):
    scale, largest = (slowest, slowest + spread), stride * longest
    indices = sample(count, seed, scale=scale, max_length=largest, stride=stride)
    length = len(indices)
    assert 0 < length <= largest and length % stride == 0
    assert (np.diff(indices) >= 0).all() and 0 <= indices[0] <= indices[-1] < count
    if count >= stride:
        assert int(scale[0] * count) <= length or length == largest
        assert length < max(1, int(scale[1] * count)) + stride
        # Frames are repeated only when all of them are there.
        assert len(np.unique(indices)) == min(length, count)


def test_every_length_is_drawn():
    lengths = {len(sample(20, seed)) for seed in range(200)}
    assert lengths == {12, 16, 20, 24, 28, 32}


@pytest.mark.parametrize('kwargs', [dict(scale=(0, 1)), dict(max_length=30)])
def test_impossible_arguments(kwargs):
    with pytest.raises(ValueError, match='SampleClip'):
        SampleClip(**kwargs)
