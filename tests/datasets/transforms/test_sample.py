import copy
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.datasets.transforms.sample import (
    ClipCenterCrop,
    ClipFixedCrop,
    ClipRandomCrop,
    HoldLast,
    SampleClip,
    SampleRescaled,
    SampleRhythm,
    ShiftStart,
)
from mmsign.timing import StepClock


def sample(count: int, seed: int = 0, kind=SampleClip, **kwargs) -> np.ndarray:
    np.random.seed(seed)
    keypoints = np.arange(count)[:, None, None] * np.ones((1, 2, 3))
    results = dict(clip_id='c', num_frames=count, keypoints=keypoints)
    results = kind(**kwargs)(results)
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


def rhythm(count: int, seed: int = 0, **kwargs) -> np.ndarray:
    np.random.seed(seed)
    keypoints = np.arange(count)[:, None, None] * np.ones((1, 2, 3))
    results = dict(clip_id='c', num_frames=count, keypoints=keypoints)
    results = SampleRhythm(**kwargs)(results)
    np.testing.assert_array_equal(
        results['keypoints'][:, 0, 0], results['frame_indices']
    )
    return results['frame_indices']


@examples(200)
@given(
    count=st.integers(1, 500),
    seed=st.integers(0, 2**31),
    stride=st.integers(1, 8),
    strength=st.floats(0, 2),
)
def test_a_rhythm_goes_from_the_first_frame_to_the_last(count, seed, stride, strength):
    kwargs = dict(stride=stride, max_length=48 * stride, rhythm=strength)
    indices = rhythm(count, seed, **kwargs)
    length = len(indices)
    assert length % stride == 0 and 0 < length <= 48 * stride
    assert (np.diff(indices) >= 0).all() and indices[0] == 0
    assert indices[-1] == (count - 1 if length > 1 else 0)


def test_a_rhythm_changes_the_speed_within_a_clip():
    def ratio(**kwargs) -> float:
        steps = np.diff(rhythm(400, scale=(1, 1), **kwargs))
        parts = steps[:396].reshape(-1, 12).sum(1)
        return parts.max() / parts.min()

    assert ratio(rhythm=0) < 1.2 < 1.5 < ratio(rhythm=0.3) < ratio(rhythm=0.8)
    # Numbers that follow each other sooner leave less to a stretch.
    assert ratio(rhythm=0.8, period=1) < ratio(rhythm=0.8, period=12)


def test_lengths_and_testing_are_those_of_sampling():
    lengths = {len(rhythm(20, seed)) for seed in range(200)}
    assert lengths == {12, 16, 20, 24, 28, 32}
    np.testing.assert_array_equal(rhythm(30, test=True), sample(30, test=True))
    for wrong in (dict(rhythm=-0.1), dict(period=0)):
        with pytest.raises(ValueError, match='SampleRhythm'):
            SampleRhythm(**wrong)


@pytest.mark.parametrize('count', [1, 4, 14, 30])
def test_a_clip_begins_later_or_sooner(count):
    rng = np.random.default_rng(0)
    clip = dict(
        frame_indices=np.arange(3, 3 + count),
        keypoints=rng.uniform(0.5, 1, (count, 79, 3)).astype(np.float32),
        frames=rng.integers(0, 256, (count, 5, 5, 3), np.uint8),
    )
    before = copy.deepcopy(clip)
    held, left_out, hidden = set(), set(), Counter()
    for seed in range(200):
        np.random.seed(seed)
        shifted = ShiftStart(hold=6, cut=4)(dict(clip))
        more = len(shifted['frame_indices']) - count
        if more > 0:
            held.add(more)
            for key, x in clip.items():
                np.testing.assert_array_equal(shifted[key][more:], x)
                assert shifted[key].dtype == x.dtype
                rest = np.repeat(x[:1], more, axis=0)
                if key == 'keypoints':
                    lost = shifted[key][:more, 16:58, 2].max() == 0
                    hidden[lost] += 1
                    rest[:, 16:58, 2] *= not lost
                np.testing.assert_array_equal(shifted[key][:more], rest)
        else:
            left_out.add(-more)
            for key, x in clip.items():
                np.testing.assert_array_equal(shifted[key], x[-more:])
    assert held == set(range(1, 7))
    assert left_out == set(range(1 + min(4, count // 5)))
    assert hidden[True] > 20 < hidden[False]
    for key, x in before.items():
        np.testing.assert_array_equal(clip[key], x)
    blind = ShiftStart()(clip | dict(frames='folder'))
    assert blind['frames'] == 'folder'


@pytest.mark.parametrize('glosses', [[], ['WIND'], ['WIND', 'WIND']])
def test_sentences_begin_as_they_are_cut(glosses):
    clip = dict(frame_indices=np.arange(30), glosses=glosses)
    lengths = {len(ShiftStart()(dict(clip))['frame_indices']) for _ in range(50)}
    assert (lengths == {30}) == (len(glosses) > 1)


def test_a_clip_may_keep_its_start():
    clip = dict(frame_indices=np.arange(9))
    shifted = [ShiftStart(hold=0, cut=0)(dict(clip)) for _ in range(20)]
    assert all(len(one['frame_indices']) == 9 for one in shifted)
    for wrong in (dict(hold=-1), dict(cut=-1)):
        with pytest.raises(ValueError, match='ShiftStart'):
            ShiftStart(**wrong)


def test_the_last_frame_is_held():
    clip = dict(
        frame_indices=np.arange(3, 7),
        keypoints=np.random.default_rng(0).normal(size=(4, 79, 3)),
        frames=np.random.default_rng(0).integers(0, 256, (4, 5, 5, 3), np.uint8),
    )
    held = HoldLast(frames=3)(dict(clip))
    for key, x in clip.items():
        np.testing.assert_array_equal(held[key][:4], x)
        np.testing.assert_array_equal(held[key][4:], np.repeat(x[-1:], 3, axis=0))
        assert held[key].dtype == x.dtype
    blind = HoldLast(frames=3)(clip | dict(frames='folder'))
    assert blind['frames'] == 'folder' and len(blind['keypoints']) == 7
    # What is recognized there has the time of the last frame.
    clock = StepClock.of_frames(held['frame_indices'], frames=7, steps=7)
    assert clock.span(3, 4) == clock.span(6, 7) == (6, 7)
    with pytest.raises(ValueError, match='HoldLast'):
        HoldLast(frames=0)


@examples(100)
@given(count=st.integers(1, 400), seed=st.integers(0, 2**31))
def test_rescaled_lengths_have_limits(count, seed):
    indices = sample(count, seed, kind=SampleRescaled)
    length = len(indices)
    assert length % 4 == 0 and (np.diff(indices) >= 0).all()
    assert indices.min() >= 0 and indices.max() < count
    assert max(32, min(232, int(0.8 * count))) <= length
    assert length <= max(32, min(232, int(1.2 * count) + 3))
    if length <= count:
        assert len(np.unique(indices)) == length


def test_a_longer_clip_may_miss_frames_that_a_shorter_has():
    found = [np.unique(sample(20, seed, kind=SampleRescaled)) for seed in range(20)]
    assert any(len(seen) < 20 for seen in found)


@pytest.mark.parametrize('count', [1, 4, 6, 399, 403])
def test_no_frame_of_a_test_clip_is_lost(count):
    indices = sample(count, kind=SampleRescaled, test=True, max_length=400)
    taken = min(count, 400)
    start = (count - taken) // 2
    assert indices[:taken].tolist() == list(range(start, start + taken))
    rest = indices[taken:].tolist()
    assert rest == [start + taken - 1] * (-taken % 4)


def test_a_box_of_one_size_is_anywhere():
    size = dict(frame_size=(256, 256))
    np.random.seed(0)
    crop = ClipFixedCrop(fraction=224 / 256)
    boxes = [crop(dict(size))['crop_box'] for _ in range(200)]
    assert {box[2:] for box in boxes} == {(224.0, 224.0)}
    for places in zip(*boxes):
        assert min(places) >= 0
    x, y = ({*places} for places in list(zip(*boxes))[:2])
    assert min(x) == min(y) == 0 and max(x) == max(y) == 32
    central = ClipCenterCrop(fraction=224 / 256)(dict(size))['crop_box']
    assert central == (16.0, 16.0, 224.0, 224.0)


def test_impossible_limits():
    for limits in (dict(min_length=0), dict(min_length=300)):
        with pytest.raises(ValueError, match='min_length'):
            SampleRescaled(**limits)
