import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.datasets.transforms.sample import ClipCenterCrop, ClipRandomCrop, SampleClip


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


def test_random_boxes_stay_inside_and_in_range():
    crop = ClipRandomCrop()
    np.random.seed(0)
    boxes = [crop(dict(frame_size=(210, 260)))['crop_box'] for _ in range(300)]
    assert len(set(boxes)) > 250
    for x0, y0, width, height in boxes:
        assert x0 >= 0 and y0 >= 0 and x0 + width <= 210 and y0 + height <= 260
        assert 0.69 < width * height / (210 * 260) <= 1
        assert 0.74 < width / height < 1.31


SIDE = st.integers(1, 2000)


def is_inside(box, frame_size) -> bool:
    x0, y0, width, height = box
    whole = all(value == int(value) for value in box)
    fits = x0 + width <= frame_size[0] and y0 + height <= frame_size[1]
    return whole and fits and min(x0, y0) >= 0 and min(width, height) >= 1


def is_central(box, frame_size) -> bool:
    margins = [
        size - side - 2 * start
        for size, side, start in zip(frame_size, box[2:], box[:2])
    ]
    return all(margin in (0, 1) for margin in margins)


@examples(150)
@given(
    size=st.tuples(SIDE, SIDE),
    area=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(sorted),
    aspect=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(sorted),
    seed=st.integers(0, 2**31),
)
def test_any_random_box(size, area, aspect, seed):
    np.random.seed(seed)
    results = ClipRandomCrop(tuple(area), tuple(aspect))(dict(frame_size=size))
    box = results['crop_box']
    assert is_inside(box, size)
    _, _, width, height = box
    # Sides were rounded to whole pixels, of which there is at least one.
    least, most = (width - 0.5) / (height + 0.5), (width + 0.5) / (height - 0.5)
    in_range = least <= aspect[1] * 1.001 and most >= aspect[0] * 0.999
    assert in_range or min(width, height) == 1
    pixels = size[0] * size[1]
    of_the_range = (width - 0.5) * (height - 0.5) <= area[1] * pixels * 1.001 and (
        width + 0.5
    ) * (height + 0.5) >= area[0] * pixels * 0.999
    assert of_the_range or is_central(box, size)


@examples(60)
@given(size=st.tuples(SIDE, SIDE), fraction=st.floats(0.001, 1))
def test_any_central_box(size, fraction):
    box = ClipCenterCrop(fraction)(dict(frame_size=size))['crop_box']
    assert is_inside(box, size) and is_central(box, size)
    for side, of in zip(box[2:], size):
        assert side == max(1, round(fraction * of))


def test_frames_of_an_extreme_shape_are_cropped_centrally():
    box = ClipRandomCrop()(dict(frame_size=(400, 40)))['crop_box']
    assert box == (174.0, 0.0, 52.0, 40.0)


def test_centre():
    assert ClipCenterCrop()(dict(frame_size=(210, 260)))['crop_box'] == (
        0.0,
        0.0,
        210.0,
        260.0,
    )
    box = ClipCenterCrop(fraction=270 / 320)(dict(frame_size=(512, 512)))['crop_box']
    assert box == (40.0, 40.0, 432.0, 432.0)


@pytest.mark.parametrize(
    'build',
    [
        lambda: ClipRandomCrop(area=(0, 1)),
        lambda: ClipRandomCrop(aspect=(2, 1)),
        lambda: ClipCenterCrop(fraction=1.5),
    ],
)
def test_impossible_boxes(build):
    with pytest.raises(ValueError, match='Crop'):
        build()


@pytest.mark.parametrize('test', [True, False])
@pytest.mark.parametrize('count', [1, 7, 8, 9, 50, 90])
def test_every_so_many_th_frame(count, test):
    """What is drawn of every n-th frame is drawn as if there were no others."""
    sample = SampleClip(max_length=24, test=test)
    points = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 79, 3))
    for step in (2, 3):
        np.random.seed(3)
        found = sample(dict(clip_id='a', num_frames=count, step=step, keypoints=points))
        np.random.seed(3)
        thinned = points[::step]
        alone = sample(dict(clip_id='a', num_frames=len(thinned), keypoints=thinned))
        np.testing.assert_array_equal(found['keypoints'], alone['keypoints'])
        # Frames are counted as in the clip.
        np.testing.assert_array_equal(
            found['frame_indices'], alone['frame_indices'] * step
        )
