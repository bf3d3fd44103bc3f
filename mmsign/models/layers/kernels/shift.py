"""Sums of shifted frames, and frames laid out for them: see ``shifts``.

Symbols: B clips, T frames, T' steps, P pixels, C channels, k frames of a kernel, s its
stride and p its padding, j a position in it.
"""

import torch
import triton.language as tl
from torch import Tensor

from .sharing import (
    ceil_divided,
    channels_of,
    in_units,
    kernel,
    places_of,
    read,
    width_of,
)

# Values of a program at once, and warps that compute them.
_AT_ONCE = 2048
_WARPS = 4
_kernel = kernel(
    *('frames', 'steps', 'pixels', 'places', 'channels', 'k', 'stride', 'padding')
)


@_kernel
def _sum(
    x,
    y,
    frames,
    steps,
    pixels,
    places,
    channels,
    k,
    stride,
    padding,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """y (B, T', P, C) at step t: Σ_j x (B, T, P, k·C) of frame t·s + j − p, part j."""
    channels *= unit
    c, inside = channels_of(channels, wide)
    place, there = places_of(places, at_once)
    pixel = place % pixels
    step = place // pixels % steps
    clip = place // pixels // steps
    total = tl.zeros([at_once, wide], tl.float32)
    for j in range(k):
        frame = step * stride + j - padding
        valid = there & (frame >= 0) & (frame < frames)
        at = (clip * frames + frame).to(tl.int64) * pixels + pixel
        at = x + (at * k + j)[:, None] * channels + c[None, :]
        mask = valid[:, None] & inside[None, :]
        total += read(at, mask)
    to = y + place.to(tl.int64)[:, None] * channels + c[None, :]
    tl.store(to, total, mask=there[:, None] & inside[None, :])


@_kernel
def _place(
    x,
    y,
    frames,
    steps,
    pixels,
    places,
    channels,
    k,
    stride,
    padding,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """y (B, T, P, k·C) of frame t·s + j − p, part j: x (B, T', P, C) of step t."""
    channels *= unit
    c, inside = channels_of(channels, wide)
    place, there = places_of(places, at_once)
    pixel = place % pixels
    frame = place // pixels % frames
    clip = place // pixels // frames
    for j in range(k):
        shifted = frame + padding - j
        step = shifted // stride
        valid = there & (shifted >= 0) & (shifted % stride == 0) & (step < steps)
        at = (clip * steps + step).to(tl.int64) * pixels + pixel
        at = x + at[:, None] * channels + c[None, :]
        value = tl.load(at, mask=valid[:, None] & inside[None, :], other=0.0)
        to = y + (place.to(tl.int64) * k + j)[:, None] * channels + c[None, :]
        tl.store(to, value, mask=there[:, None] & inside[None, :])


def sum_shifts(y: Tensor, k: int, stride: int, padding: int, steps: int) -> Tensor:
    """(B, T, H, W, k·C) → (B, T', H, W, C), summed in float32."""
    y = y.contiguous()
    clips, frames, *size, wide = y.shape
    found = y.new_empty((clips, steps, *size, wide // k))
    _launch(_sum, y, found, frames, steps, found, (k, stride, padding))
    return found


def place_shifts(y: Tensor, k: int, frames: int, stride: int, padding: int) -> Tensor:
    """(B, T', H, W, C) → (B, T, H, W, k·C), the mirror image of ``sum_shifts``."""
    y = y.contiguous()
    clips, steps, *size, channels = y.shape
    found = y.new_empty((clips, frames, *size, k * channels))
    _launch(_place, y, found, frames, steps, y, (k, stride, padding))
    return found


def _launch(
    function, x: Tensor, y: Tensor, frames: int, steps: int, thin: Tensor, in_time
) -> None:
    """Of every pixel of every frame of ``y``; ``thin`` has C channels."""
    channels, pixels = thin.shape[4], thin.shape[2] * thin.shape[3]
    unit, wide = in_units(channels), width_of(channels)
    at_once = _AT_ONCE // wide
    places = y.shape[0] * y.shape[1] * pixels
    grid = ceil_divided(places, at_once), ceil_divided(channels, wide)
    counts = frames, steps, pixels, places, channels // unit
    constants = dict(unit=unit, at_once=at_once, wide=wide)
    with torch.cuda.device_of(x):
        function[grid](x, y, *counts, *in_time, **constants, num_warps=_WARPS)
