import numpy as np
import pytest

from mmsign.datasets.transforms.pixels import (
    ClipColorJitter,
    ClipResize,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from mmsign.visualization.clip_view import crop_coordinates


def clip(frames: np.ndarray, box, frame_size=(100, 100)) -> dict:
    box = tuple(map(float, box))
    return dict(frames=frames, crop_box=box, frame_size=frame_size)


@pytest.mark.parametrize('seed', range(5))
def test_a_dot_lands_where_the_mapped_keypoint_says(seed):
    rng = np.random.default_rng(seed)
    box = (*rng.integers(0, 20, 2), *rng.integers(60, 80, 2))
    point = np.array(box[:2]) + rng.integers(10, 45, 2)
    frames = np.zeros((2, 100, 100, 3), np.uint8)
    frames[1, point[1] - 1 : point[1] + 2, point[0] - 1 : point[0] + 2] = 255
    results = ClipResize(48)(clip(frames, box))
    image = results['frames'][1, ..., 0].astype(float)
    assert results['frames'].shape == (2, 48, 48, 3) and not results['frames'][0].any()
    rows, columns = np.mgrid[:48, :48]
    centre = (columns * image).sum() / image.sum(), (rows * image).sum() / image.sum()
    expected = crop_coordinates(point[None].astype(float), box, 48)[0]
    np.testing.assert_allclose(centre, expected, atol=0.1)


def test_a_box_in_pixels_of_a_larger_source():
    """Frames packed at half their size: the box still means source pixels."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 50, 60, 3), dtype=np.uint8)
    packed = ClipResize(20)(clip(frames, (20, 10, 60, 80), (120, 100)))['frames']
    same = ClipResize(20)(clip(frames, (10, 5, 30, 40), (60, 50)))['frames']
    np.testing.assert_array_equal(packed, same)


@pytest.mark.parametrize(
    'box', [(-30, 20, 90, 70), (70, -200, 60, 500), (5, 120, 8, 9)]
)
def test_beyond_the_frame_its_border_is_repeated(box):
    frames = np.random.default_rng(0).integers(0, 256, (2, 100, 100, 3), np.uint8)
    wide = np.pad(frames, [(0, 0), (300, 300), (300, 300), (0, 0)], mode='edge')
    x0, y0, *sides = box
    inside = ClipResize(20)(clip(wide, (x0 + 300, y0 + 300, *sides), (700, 700)))
    found = ClipResize(20)(clip(frames, box))
    np.testing.assert_array_equal(found['frames'], inside['frames'])


def test_impossible_size():
    with pytest.raises(ValueError, match='ClipResize'):
        ClipResize(0)


IMAGE = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)


def test_neutral_factors_change_nothing():
    for adjust in (adjust_brightness, adjust_contrast, adjust_saturation):
        np.testing.assert_allclose(adjust(IMAGE, 1.0), IMAGE, atol=1)
    np.testing.assert_allclose(adjust_hue(IMAGE, 0.0).astype(int), IMAGE, atol=4)


def test_extremes():
    assert not adjust_brightness(IMAGE, 0.0).any()
    assert np.ptp(adjust_contrast(IMAGE, 0.0)) == 0
    assert np.ptp(adjust_saturation(IMAGE, 0.0), axis=-1).max() <= 1
    red = np.zeros((1, 1, 3), np.uint8)
    red[..., 2] = 255
    np.testing.assert_allclose(adjust_hue(red, 1 / 3)[0, 0], [0, 255, 0], atol=6)


def test_one_draw_per_clip():
    frames = np.repeat(IMAGE[None, :6], 5, axis=0)
    np.random.seed(1)
    changed = ClipColorJitter(prob=1.0)(dict(frames=frames))['frames']
    assert changed.shape == frames.shape and (changed != frames).any()
    for frame in changed[1:]:
        np.testing.assert_array_equal(frame, changed[0])


def test_probability():
    np.random.seed(0)
    frames = IMAGE[None, :6]
    jitter = ClipColorJitter(prob=0.3)
    changed = [jitter(dict(frames=frames))['frames'] is not frames for _ in range(400)]
    assert 0.2 < np.mean(changed) < 0.4


@pytest.mark.parametrize('kwargs', [dict(prob=2), dict(hue=0.6), dict(contrast=-1)])
def test_impossible_arguments(kwargs):
    with pytest.raises(ValueError, match='ClipColorJitter'):
        ClipColorJitter(**kwargs)
