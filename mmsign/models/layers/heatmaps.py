"""Keypoint heatmaps drawn on the device, straight at the network's resolution.

Symbols: B clips, T frames, K keypoints, (h, w) size of the map in pixels,
(x0, y0, bw, bh) crop box in pixels of the source frame.

A map is a Gaussian with peak 1, exp(−d²/2σ²), σ in pixels of the source frame:
docs/method.md#keypoints-and-heatmaps. Cropping and resizing are affine and act on x
and y alone, so the map at the target resolution is the outer product of one vector in
y and one in x, each evaluated at the centres of the target pixels.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Smaller values are 0: their products would be denormal numbers, which slow the first
# convolution on a CPU. Far below float32's precision at the peak.
_NEGLIGIBLE = 1e-10


def _profile(
    centre: Tensor, start: Tensor, extent: Tensor, size: int, sigma: float | Tensor
) -> Tensor:
    """exp(−(s−c)²/2σ²) at the source coordinate s of each of ``size`` pixels.

    Pixel j of a resized crop looks at s = (j + ½)·extent/size − ½ + start, the
    half-pixel convention of image resizing without aligned corners.

    Args:
        centre: (B, T, K) source coordinates in pixels.
        start, extent: (B,) origin and side of the crop box in pixels.
        size: Of the map.
        sigma: σ, or (B, 1, 1, 1) of each clip.

    Returns:
        (B, T, size, K).
    """
    pixel = torch.arange(size, device=centre.device, dtype=torch.float32) + 0.5
    source = (pixel * (extent[:, None] / size) - 0.5 + start[:, None])[:, None]
    distance = source[..., None] - centre[:, :, None]
    exponent = distance.square_().mul_(-0.5 / sigma**2)
    # A CPU's exp is many times slower where its result is denormal or 0.
    profile = exponent.clamp_(min=math.log(_NEGLIGIBLE) - 1).exp_()
    if torch.onnx.is_in_onnx_export():  # which knows no threshold but 0
        return profile * (profile > _NEGLIGIBLE)
    return F.threshold_(profile, _NEGLIGIBLE, 0.0)


def draw_heatmaps(
    keypoints: Tensor,
    crop_boxes: Tensor,
    size: tuple[int, int],
    sigma: float | Tensor = 8.0,
    score_threshold: float | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    dtype: torch.dtype = torch.float32,
    out: Tensor | None = None,
) -> Tensor:
    """Draw the normalised heatmaps of a whole batch at once.

    Args:
        keypoints: (B, T, K, 3) float, x and y in source pixels and a score.
        crop_boxes: (B, 4) float, the crop box of each clip.
        size: (h, w) of the maps.
        sigma: Standard deviation in source pixels, of all clips or (B,) of each.
        score_threshold: If given, each map is multiplied by its keypoint's
            score, or by 0 where the score is below the threshold. The paper
            does not use scores.
        value_range: Value far from the keypoint, and at it.
        dtype: Of the result; the profiles are computed in float32.
        out: Tensor to write to; as the result.

    Returns:
        (B, K, T, h, w): low + (high − low)·exp(−d²/2σ²), by default in [−1, 1], the
        channels last in memory.

    Examples:
        >>> keypoint = torch.tensor([[[[3.0, 3.0, 1.0]]]])
        >>> box = torch.tensor([[0.0, 0.0, 8.0, 8.0]])
        >>> maps = draw_heatmaps(keypoint, box, (8, 8), sigma=1.0)
        >>> maps.shape, float(maps[0, 0, 0, 3, 3]), round(float(maps[0, 0, 0, 3, 4]), 4)
        (torch.Size([1, 1, 1, 8, 8]), 1.0, 0.2131)
    """
    height, width = size
    x, y, score = keypoints.float().unbind(-1)
    x0, y0, box_w, box_h = crop_boxes.float().unbind(1)
    if isinstance(sigma, Tensor):
        sigma = sigma[:, None, None, None]
    column = _profile(x, x0, box_w, width, sigma)
    row = _profile(y, y0, box_h, height, sigma)
    if score_threshold is not None:
        score = torch.where(score >= score_threshold, score, torch.zeros_like(score))
        row = row * score.unsqueeze(2)
    column, row = column.to(dtype), row.to(dtype)
    # addcmul scales to the range in the pass that writes the maps. On a CPU its loop
    # over the innermost dimension is vectorized if that is long and at most one of
    # its operands is a number.
    low, high = value_range
    if torch.onnx.is_in_onnx_export():  # other reshaping would fix the sizes
        maps = row[:, :, :, None] * column[:, :, None] * (high - low) + low
        return maps.permute(0, 4, 1, 2, 3)
    offset = torch.full((), low, dtype=dtype, device=keypoints.device)
    # n neighbours in x at once: (B, T, h, 1, n·K), (B, T, 1, w/n, n·K). More than 8
    # cost as much in copies of the rows as they save.
    n = math.gcd(width, 8) if keypoints.device.type == 'cpu' else 1
    row = row[:, :, :, None].expand(-1, -1, -1, n, -1).flatten(3)[:, :, :, None]
    column = column.unflatten(2, (width // n, n)).flatten(3)[:, :, None]
    if out is not None:
        out = out.permute(0, 2, 3, 4, 1).unflatten(3, (width // n, n)).flatten(4)
    maps = torch.addcmul(offset, row, column, value=high - low, out=out)
    return maps.unflatten(4, (n, -1)).flatten(3, 4).permute(0, 4, 1, 2, 3)
