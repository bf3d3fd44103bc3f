import numpy as np
import pytest

from mmsign.datasets.transforms.resize import ClipResize
from mmsign.visualization.overlay import crop_coordinates


@pytest.mark.parametrize('seed', range(5))
def test_a_dot_lands_where_the_mapped_keypoint_says(seed):
    rng = np.random.default_rng(seed)
    box = (*rng.integers(0, 20, 2), *rng.integers(60, 80, 2))
    point = np.array(box[:2]) + rng.integers(10, 45, 2)
    frames = np.zeros((2, 100, 100, 3), np.uint8)
    frames[1, point[1] - 1 : point[1] + 2, point[0] - 1 : point[0] + 2] = 255
    results = ClipResize(48)(dict(frames=frames, crop_box=tuple(map(float, box))))
    image = results['frames'][1, ..., 0].astype(float)
    assert results['frames'].shape == (2, 48, 48, 3) and not results['frames'][0].any()
    rows, columns = np.mgrid[:48, :48]
    centre = (columns * image).sum() / image.sum(), (rows * image).sum() / image.sum()
    expected = crop_coordinates(point[None].astype(float), box, 48)[0]
    np.testing.assert_allclose(centre, expected, atol=0.1)


def test_impossible_size():
    with pytest.raises(ValueError, match='size must be positive'):
        ClipResize(0)
