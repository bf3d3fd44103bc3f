"""Max pooling in time and space at once, and its gradient, without a table of places.

PyTorch's on a GPU writes where each of the largest values was, in 64 bits, whether or
not a gradient is wanted, and in 16 bit its three-dimensional one is slow. Here places
are found again for the gradient, in 8 bits, and every input adds up the gradients of
those windows of which it is the largest, so that results repeat.

Symbols: B clips, T frames, H×W pixels, C channels, k sizes of a kernel, s its stride
and p its padding, each of (time, height, width).
"""

import functools

import torch
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

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
_SIZES = 'frames', 'height', 'width', 'steps', 'rows', 'columns', 'places', 'channels'
_kernel = kernel(*_SIZES)


@_kernel
def _largest(
    x,
    y,
    found,
    frames,
    height,
    width,
    steps,
    rows,
    columns,
    places,
    channels,
    kt: tl.constexpr,
    kh: tl.constexpr,
    kw: tl.constexpr,
    st: tl.constexpr,
    sh: tl.constexpr,
    sw: tl.constexpr,
    pt: tl.constexpr,
    ph: tl.constexpr,
    pw: tl.constexpr,
    finds: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """y (B, T', H', W', C), or, if it ``finds``, the place of each in its window."""
    channels *= unit
    c, inside = channels_of(channels, wide)
    place, there = places_of(places, at_once)
    column = place % columns
    row = place // columns % rows
    step = place // columns // rows % steps
    clip = place // columns // rows // steps
    best = tl.full([at_once, wide], float('-inf'), tl.float32)
    which = tl.full([at_once, wide], -1, tl.int32)
    for dt in range(kt):
        t = step * st - pt + dt
        for dh in range(kh):
            h = row * sh - ph + dh
            for dw in tl.static_range(kw):
                w = column * sw - pw + dw
                valid = there & (t >= 0) & (t < frames) & (h >= 0) & (h < height)
                valid = valid & (w >= 0) & (w < width)
                at = ((clip * frames + t).to(tl.int64) * height + h) * width + w
                mask = valid[:, None] & inside[None, :]
                pointers = x + at[:, None] * channels + c[None, :]
                value = tl.load(pointers, mask=mask, other=float('-inf'))
                value = value.to(tl.float32)
                # The first of equal ones; what is no number is larger than any.
                larger = (value > best) | (value != value)
                if finds:
                    larger = (larger | (which < 0)) & mask
                    which = tl.where(larger, (dt * kh + dh) * kw + dw, which)
                best = tl.where(larger, value, best)
    to = place.to(tl.int64)[:, None] * channels + c[None, :]
    mask = there[:, None] & inside[None, :]
    if finds:
        tl.store(found + to, which.to(tl.int8), mask=mask)
    else:
        tl.store(y + to, best, mask=mask)


@_kernel
def _gradients(
    g,
    found,
    of_x,
    frames,
    height,
    width,
    steps,
    rows,
    columns,
    places,
    channels,
    kt: tl.constexpr,
    kh: tl.constexpr,
    kw: tl.constexpr,
    st: tl.constexpr,
    sh: tl.constexpr,
    sw: tl.constexpr,
    pt: tl.constexpr,
    ph: tl.constexpr,
    pw: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """of_x (B, T, H, W, C): of the windows that look at it, those that took it."""
    channels *= unit
    c, inside = channels_of(channels, wide)
    place, there = places_of(places, at_once)
    w = place % width
    h = place // width % height
    t = place // width // height % frames
    clip = place // width // height // frames
    total = tl.zeros([at_once, wide], tl.float32)
    for dt in range(kt):
        step = t + pt - dt
        in_time = there & (step >= 0) & (step % st == 0) & (step // st < steps)
        for dh in range(kh):
            row = h + ph - dh
            in_height = (row >= 0) & (row % sh == 0) & (row // sh < rows)
            for dw in tl.static_range(kw):
                column = w + pw - dw
                valid = (column >= 0) & (column % sw == 0) & (column // sw < columns)
                valid = valid & in_time & in_height
                at = (clip * steps + step // st).to(tl.int64) * rows + row // sh
                at = at * columns + column // sw
                mask = valid[:, None] & inside[None, :]
                at = at[:, None] * channels + c[None, :]
                which = tl.load(found + at, mask=mask, other=-1)
                gradient = read(g + at, mask)
                took = which == (dt * kh + dh) * kw + dw
                total += tl.where(took, gradient, 0.0)
    to = place.to(tl.int64)[:, None] * channels + c[None, :]
    tl.store(of_x + to, total, mask=there[:, None] & inside[None, :])


class _MaxPool(torch.autograd.Function):
    """Keeps its input alone."""

    @staticmethod
    def forward(ctx, x, *settings):
        ctx.save_for_backward(x)
        ctx.settings = settings
        shape, sizes, constants = _shared(x.shape, *settings)
        y = torch.empty(shape, dtype=x.dtype, device=x.device)
        _launch(_largest, y, x, y, y, *sizes, finds=False, **constants)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        _, sizes, constants = _shared(x.shape, *ctx.settings)
        gradient = gradient.contiguous()
        found = torch.empty_like(gradient, dtype=torch.int8)
        of_x = torch.empty_like(x)
        _launch(_largest, found, x, found, found, *sizes, finds=True, **constants)
        _launch(_gradients, of_x, gradient, found, of_x, *sizes, **constants)
        return of_x, None, None, None


@functools.lru_cache(1024)
def _shared(shape: tuple[int, ...], kernel_size, stride, padding) -> tuple:
    """Of an input the shape of the output, and sizes and constants of the kernels."""
    axes = zip(shape[1:4], kernel_size, stride, padding)
    steps = [(size + 2 * p - k) // s + 1 for size, k, s, p in axes]
    numbers = [*kernel_size, *stride, *padding]
    names = [first + axis for first in 'ksp' for axis in 'thw']
    return (
        (shape[0], *steps, shape[4]),
        (*shape[1:4], *steps),
        dict(zip(names, numbers)),
    )


def _launch(function, computed: Tensor, *arguments, **constants) -> None:
    """Of every place of ``computed``, (B, T, H, W, C)."""
    channels = computed.shape[4]
    unit, wide = in_units(channels), width_of(channels)
    at_once = _AT_ONCE // wide
    places = computed.numel() // channels
    grid = ceil_divided(places, at_once), ceil_divided(channels, wide)
    constants |= dict(unit=unit, at_once=at_once, wide=wide, num_warps=_WARPS)
    function[grid](*arguments, places, channels // unit, **constants)


def max_pool(x: Tensor, kernel_size, stride, padding) -> Tensor:
    """Max pooling; of equal values the first is taken.

    Args:
        x: (B, T, H, W, C), contiguous, of float32, bfloat16 or float16.
        kernel_size, stride, padding: (time, height, width); at most 127 places in a
            kernel.

    Returns:
        (B, T', H', W', C).
    """
    # A config may name lists.
    sizes = (tuple(size) for size in (kernel_size, stride, padding))
    with torch.cuda.device_of(x):
        return _MaxPool.apply(x, *sizes)
