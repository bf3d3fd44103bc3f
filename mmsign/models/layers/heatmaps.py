"""Keypoint heatmaps drawn on the device, straight at the network's resolution.

Symbols: B clips, T frames, K keypoints, (h, w) size of the map in pixels,
(x0, y0, bw, bh) crop box in pixels of the source frame.

A map is a Gaussian with peak 1, exp(−d²/2σ²), σ in pixels of the source frame
(SPEC section 2). Cropping and resizing are affine and act on x and y alone, so
the map at the target resolution is the outer product of one vector in y and
one in x, each evaluated at the centres of the target pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Smaller values are 0: their products would be denormal numbers, which slow the first
# convolution on a CPU. Far below float32's precision at the peak.
_NEGLIGIBLE = 1e-10


def _profile(
    centre: Tensor, start: Tensor, extent: Tensor, size: int, sigma: float
) -> Tensor:
    """exp(−(s−c)²/2σ²) at the source coordinate s of each of ``size`` pixels.

    Pixel j of a resized crop looks at s = (j + ½)·extent/size − ½ + start, the
    half-pixel convention of image resizing without aligned corners.

    Args:
        centre: (B, T, K) source coordinates in pixels.
        start, extent: (B,) origin and side of the crop box in pixels.

    Returns:
        (B, T, K, size)
    """
    pixel = torch.arange(size, device=centre.device, dtype=torch.float32) + 0.5
    source = pixel * (extent[:, None] / size) - 0.5 + start[:, None]
    distance = source[:, None, None, :] - centre[..., None]
    profile = torch.exp(distance.square_().mul_(-0.5 / sigma**2))
    return F.threshold_(profile, _NEGLIGIBLE, 0.0)


def draw_heatmaps(
    keypoints: Tensor,
    crop_boxes: Tensor,
    size: tuple[int, int],
    sigma: float = 8.0,
    score_threshold: float | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    dtype: torch.dtype = torch.float32,
    memory_format: torch.memory_format = torch.contiguous_format,
    out: Tensor | None = None,
) -> Tensor:
    """Draw the normalised heatmaps of a whole batch at once.

    Args:
        keypoints: (B, T, K, 3) float, x and y in source pixels and a score.
        crop_boxes: (B, 4) float, the crop box of each clip.
        size: (h, w) of the maps.
        sigma: Standard deviation in source pixels.
        score_threshold: If given, each map is multiplied by its keypoint's
            score, or by 0 where the score is below the threshold. The paper
            does not use scores.
        value_range: Value far from the keypoint, and at it.
        dtype: Of the result; the profiles are computed in float32.
        memory_format: ``torch.channels_last_3d`` writes that layout directly.
        out: Tensor to write to; of the result's shape, dtype and layout.

    Returns:
        (B, K, T, h, w): low + (high − low)·exp(−d²/2σ²), by default in [−1, 1].
    """
    keypoints = keypoints.float()
    crop_boxes = crop_boxes.float()
    height, width = size
    x0, y0, box_w, box_h = crop_boxes.unbind(1)
    along_x = _profile(keypoints[..., 0], x0, box_w, width, sigma)
    along_y = _profile(keypoints[..., 1], y0, box_h, height, sigma)
    if score_threshold is not None:
        score = keypoints[..., 2]
        score = torch.where(score >= score_threshold, score, torch.zeros_like(score))
        along_y = along_y * score[..., None]
    along_x, along_y = along_x.to(dtype), along_y.to(dtype)
    # addcmul scales to the range in the pass that writes the maps.
    low, high = value_range
    offset = torch.full((), low, dtype=dtype, device=keypoints.device)
    if memory_format == torch.channels_last_3d:
        row = along_y.permute(0, 1, 3, 2)[:, :, :, None]  # (B, T, h, 1, K)
        column = along_x.permute(0, 1, 3, 2)[:, :, None]  # (B, T, 1, w, K)
        target = None if out is None else out.permute(0, 2, 3, 4, 1)
    else:
        row = along_y.transpose(1, 2)[..., :, None]  # (B, K, T, h, 1)
        column = along_x.transpose(1, 2)[..., None, :]  # (B, K, T, 1, w)
        target = out
    row, column = row.contiguous(), column.contiguous()
    maps = torch.addcmul(offset, row, column, value=high - low, out=target)
    if memory_format == torch.channels_last_3d:
        return maps.permute(0, 4, 1, 2, 3)
    return maps
