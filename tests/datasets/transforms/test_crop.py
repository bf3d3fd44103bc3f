import numpy as np
import pytest

from mmsign.datasets.transforms.crop import ClipCenterCrop, ClipRandomCrop


def test_random_boxes_stay_inside_and_in_range():
    crop = ClipRandomCrop()
    np.random.seed(0)
    boxes = [crop(dict(frame_size=(210, 260)))['crop_box'] for _ in range(300)]
    assert len(set(boxes)) > 250
    for x0, y0, width, height in boxes:
        assert x0 >= 0 and y0 >= 0 and x0 + width <= 210 and y0 + height <= 260
        assert 0.69 < width * height / (210 * 260) <= 1
        assert 0.74 < width / height < 1.31


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
def test_impossible_arguments(build):
    with pytest.raises(ValueError, match='Crop'):
        build()
