import numpy as np
import pytest

from mmsign.datasets.transforms.color import (
    ClipColorJitter,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)

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
