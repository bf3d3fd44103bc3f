import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.datasets.transforms import ClipCenterCrop, ClipFixedCrop, ClipRandomCrop


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
