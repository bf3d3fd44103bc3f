import numpy as np
import pytest

from mmsign.datasets.transforms.resize import ClipResize
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


def test_impossible_size():
    with pytest.raises(ValueError, match='ClipResize'):
        ClipResize(0)
