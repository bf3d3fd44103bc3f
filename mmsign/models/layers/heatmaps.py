"""Keypoint heatmaps drawn on the device, straight at the network's resolution.

Symbols: B clips, T frames, K keypoints, (h, w) size of the map in pixels,
(x0, y0, bw, bh) crop box in pixels of the source frame.

A map is a Gaussian with peak 1, exp(−d²/2σ²), σ in pixels of the source frame:
docs/method.md#keypoints-and-heatmaps. Cropping and resizing are affine and act on x
and y alone, so the map at the target resolution is the outer product of one vector in
y and one in x, each evaluated at the centres of the target pixels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Smaller values are 0: their products would be denormal numbers, which slow the first
# convolution on a CPU. Far below float32's precision at the peak.
_NEGLIGIBLE = 1e-10


def _profile(
    centre: Tensor, start: Tensor, extent: Tensor, size: int, sigma: float, last: bool
) -> Tensor:
    """exp(−(s−c)²/2σ²) at the source coordinate s of each of ``size`` pixels.

    Pixel j of a resized crop looks at s = (j + ½)·extent/size − ½ + start, the
    half-pixel convention of image resizing without aligned corners.

    Args:
        centre: (B, M, N) source coordinates in pixels.
        start, extent: (B,) origin and side of the crop box in pixels.
        last: Whether the pixels come last.

    Returns:
        (B, M, N, size), or (B, M, size, N).
    """
    pixel = torch.arange(size, device=centre.device, dtype=torch.float32) + 0.5
    source = (pixel * (extent[:, None] / size) - 0.5 + start[:, None])[:, None]
    if last:
        distance = source[:, :, None] - centre[..., None]
    else:
        distance = source[..., None] - centre[:, :, None]
    exponent = distance.square_().mul_(-0.5 / sigma**2)
    # A CPU's exp is many times slower where its result is denormal or 0.
    profile = exponent.clamp_(min=math.log(_NEGLIGIBLE) - 1).exp_()
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

    Examples:
        One keypoint in the middle of a frame of 210×260 pixels:

        >>> keypoints = torch.tensor([[[[104.5, 129.5, 1.0]]]])  # (B, T, K, 3)
        >>> box = torch.tensor([[0.0, 0.0, 210.0, 260.0]])
        >>> maps = draw_heatmaps(keypoints, box, (3, 3), sigma=60.0)
        >>> maps.shape, maps.argmax().item()
        (torch.Size([1, 1, 1, 3, 3]), 4)
        >>> maps[0, 0, 0, 1].round(decimals=2)
        tensor([0.0100, 1.0000, 0.0100])
    """
    keypoints = keypoints.float()
    height, width = size
    channels_last = memory_format == torch.channels_last_3d
    # As the maps lie in memory: (B, T, K, 3), or (B, K, T, 3).
    points = keypoints if channels_last else keypoints.transpose(1, 2).contiguous()
    x, y, score = points.unbind(-1)
    x0, y0, box_w, box_h = crop_boxes.float().unbind(1)
    column = _profile(x, x0, box_w, width, sigma, not channels_last)
    row = _profile(y, y0, box_h, height, sigma, not channels_last)
    if score_threshold is not None:
        score = torch.where(score >= score_threshold, score, torch.zeros_like(score))
        row = row * score.unsqueeze(2 if channels_last else 3)
    column, row = column.to(dtype), row.to(dtype)
    # addcmul scales to the range in the pass that writes the maps. On a CPU its loop
    # over the innermost dimension is vectorized if that is long and at most one of
    # its operands is a number.
    low, high = value_range
    scale = high - low
    if not channels_last:
        offset = torch.full((width,), low, dtype=dtype, device=keypoints.device)
        row, column = row[..., None], column[..., None, :]  # (…, h, 1), (…, 1, w)
        return torch.addcmul(offset, row, column, value=scale, out=out)
    offset = torch.full((), low, dtype=dtype, device=keypoints.device)
    target = None if out is None else out.permute(0, 2, 3, 4, 1)
    # n neighbours in x at once: (B, T, h, 1, n·K), (B, T, 1, w/n, n·K). More than 8
    # cost as much in copies of the rows as they save.
    n = math.gcd(width, 8) if keypoints.device.type == 'cpu' else 1
    row = row[:, :, :, None].expand(-1, -1, -1, n, -1).flatten(3)[:, :, :, None]
    column = column.unflatten(2, (width // n, n)).flatten(3)[:, :, None]
    if target is not None:
        target = target.unflatten(3, (width // n, n)).flatten(4)
    maps = torch.addcmul(offset, row, column, value=scale, out=target)
    return maps.unflatten(4, (n, -1)).flatten(3, 4).permute(0, 4, 1, 2, 3)
