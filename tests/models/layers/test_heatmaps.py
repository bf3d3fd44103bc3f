import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from mmsign.models.layers.heatmaps import draw_heatmaps


def per_pixel(keypoints, box, size, sigma):
    """The definition, one pixel at a time: (K, h, w) of one frame."""
    height, width = size
    x0, y0, box_w, box_h = box
    maps = np.empty((len(keypoints), height, width))
    for k, (x, y, _) in enumerate(keypoints):
        for i in range(height):
            for j in range(width):
                sx = (j + 0.5) * box_w / width - 0.5 + x0
                sy = (i + 0.5) * box_h / height - 0.5 + y0
                d2 = (sx - x) ** 2 + (sy - y) ** 2
                maps[k, i, j] = 2 * np.exp(-d2 / (2 * sigma**2)) - 1
    return maps


@pytest.fixture
def keypoints() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 3, 4, 3, generator=generator)
    return points * torch.tensor([210.0, 260.0, 1.0])


BOXES = torch.tensor([[0.0, 0.0, 210.0, 260.0], [31.0, 12.0, 150.0, 121.0]])


def test_equals_the_definition(keypoints):
    maps = draw_heatmaps(keypoints, BOXES, (14, 11), sigma=8.0)
    assert maps.shape == (2, 4, 3, 14, 11)
    for b in range(2):
        for t in range(3):
            expected = per_pixel(
                keypoints[b, t].numpy(), BOXES[b].tolist(), (14, 11), 8.0
            )
            np.testing.assert_allclose(maps[b, :, t].numpy(), expected, atol=1e-5)


def test_agrees_with_drawing_at_raw_size_and_resizing(keypoints):
    # The authors' way: integer grid of the raw frame, crop, bilinear resize.
    ys, xs = torch.arange(260.0)[:, None], torch.arange(210.0)
    x0, y0, w, h = (int(v) for v in BOXES[1])
    point = keypoints[1]
    d2 = (xs - point[..., 0, None, None]) ** 2 + (ys - point[..., 1, None, None]) ** 2
    raw = torch.exp(-d2 / (2 * 8.0**2))[..., y0 : y0 + h, x0 : x0 + w]
    resized = F.interpolate(raw, (112, 112), mode='bilinear') * 2 - 1
    ours = draw_heatmaps(keypoints[1:], BOXES[1:], (112, 112))[0].transpose(0, 1)
    # 0.004 of the peak, which the scaling to [−1, 1] doubles. (Where a crop is
    # enlarged, resizing clamps at its border; this one shrinks both ways.)
    assert (ours - resized).abs().max() < 0.008


def test_peak_and_range(keypoints):
    maps = draw_heatmaps(keypoints, BOXES, (112, 112))
    assert maps.min() >= -1 and maps.max() <= 1
    centre = torch.tensor([[[[99.5, 129.5, 1.0]]]])
    peak = draw_heatmaps(centre, BOXES[:1], (260, 210)).flatten().argmax()
    assert divmod(int(peak), 210) in [(y, x) for y in (129, 130) for x in (99, 100)]


def test_scores_when_asked(keypoints):
    keypoints[..., 2] = torch.tensor([0.9, 0.2, 0.5, 0.0])
    plain = (draw_heatmaps(keypoints, BOXES, (8, 8)) + 1) / 2
    scored = (draw_heatmaps(keypoints, BOXES, (8, 8), score_threshold=0.3) + 1) / 2
    factor = torch.tensor([0.9, 0.0, 0.5, 0.0]).view(1, 4, 1, 1, 1)
    torch.testing.assert_close(scored, plain * factor, atol=1e-6, rtol=1e-5)


def test_layout_and_dtype(keypoints):
    plain = draw_heatmaps(keypoints, BOXES, (8, 8))
    last = draw_heatmaps(keypoints, BOXES, (8, 8), dtype=torch.bfloat16)
    assert last.is_contiguous(memory_format=torch.channels_last_3d)
    assert last.dtype == torch.bfloat16 and last.shape == plain.shape
    torch.testing.assert_close(last.float(), plain, atol=0.02, rtol=0)


def test_value_range(keypoints):
    maps = draw_heatmaps(keypoints, BOXES, (14, 11))
    shifted = draw_heatmaps(keypoints, BOXES, (14, 11), value_range=(0.0, 3.0))
    torch.testing.assert_close(shifted, (maps + 1) * 1.5)


def test_no_denormal_numbers(keypoints):
    """They would slow the first convolution on a CPU."""
    for dtype in (torch.float32, torch.bfloat16):
        maps = draw_heatmaps(
            keypoints, BOXES, (52, 42), sigma=5.0, value_range=(0.0, 1.0), dtype=dtype
        )
        assert maps[maps > 0].min() >= torch.finfo(dtype).tiny
        assert (maps == 0).any()


@examples(40)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    box_size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    sigma=st.floats(0.5, 40),
)
def test_any_box_size_and_sigma(seed, size, box_size, sigma):
    rng = np.random.default_rng(seed)
    # Also keypoints outside of the frame, where estimators put hidden hands.
    points = rng.uniform(-50, 450, (1, 2, 3, 3)).astype(np.float32)
    box = np.array([[*rng.integers(0, 50, 2), *box_size]], np.float32)
    maps = draw_heatmaps(torch.from_numpy(points), torch.from_numpy(box), size, sigma)
    assert maps.min() >= -1 and maps.max() <= 1
    for t in range(2):
        expected = per_pixel(points[0, t], box[0], size, sigma)
        np.testing.assert_allclose(maps[0, :, t].numpy(), expected, atol=2e-4)
    # Only where keypoint and box lie relative to each other matters.
    shift = rng.integers(-30, 30, 2)
    points[..., :2] += shift
    box[:, :2] += shift
    moved = draw_heatmaps(torch.from_numpy(points), torch.from_numpy(box), size, sigma)
    torch.testing.assert_close(moved, maps, atol=1e-3, rtol=0)
