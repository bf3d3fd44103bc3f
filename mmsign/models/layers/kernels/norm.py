"""Batch norm and the ReLU behind it, in training in two passes over the memory.

PyTorch's on a GPU are three forward and as many backward, in more kernels. These
compute in float32, in one order of summation, so that results repeat.

Symbols: N rows, C channels. The rows are split among the programs that run at once;
each leaves the sums of its split, and each of the second pass adds all of them up.
Means and variances are joined as in Chan, Golub, LeVeque 1979, "Updating Formulae and a
Pairwise Algorithm for Computing Sample Variances", eq. 1.5.
"""

import functools
import math
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from .sharing import ceil_divided, channels_of, in_units, kernel, read, width_of

# Values of a program at once, and warps that compute them.
_AT_ONCE = 4096
_WARPS = 8
_kernel = kernel('rows', 'channels', 'g_stride', 'in_split', 'splits')


@triton.jit
def _rows_of(start, end, inside, at_once: tl.constexpr):
    """(at_once, 1) of them from ``start`` on, and what of each channel there is."""
    row = (start + tl.arange(0, at_once)).to(tl.int64)[:, None]
    return row, (row < end) & inside[None, :]


@triton.jit
def _put_out(
    x,
    y,
    mean,
    scale,
    shift,
    rows,
    channels,
    in_split,
    relu: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """The rows of y of a split."""
    c, inside = channels_of(channels, wide)
    begin = tl.program_id(0) * in_split
    end = tl.minimum(begin + in_split, rows)
    for start in range(begin, end, at_once):
        row, valid = _rows_of(start, end, inside, at_once)
        value = read(x + row * channels + c[None, :], valid) - mean[None, :]
        value = value * scale[None, :] + shift[None, :]
        if relu:
            value = tl.where(value <= 0.0, 0.0, value)  # NaN stays NaN
        tl.store(y + row * channels + c[None, :], value, mask=valid)


@triton.jit
def _behind_relu(value, gradient, scale, shift):
    """Of the gradient what passes the ReLU behind these values, less their mean."""
    put_out = value * scale[None, :] + shift[None, :]
    return tl.where(put_out <= 0.0, 0.0, gradient)


@_kernel
def _statistics(
    x,
    sums,
    rows,
    channels,
    in_split,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """Mean and sum of squared distances from it of every split: sums (splits, 2, C)."""
    split = tl.program_id(0)
    channels *= unit
    c, inside = channels_of(channels, wide)
    begin = split * in_split
    end = tl.minimum(begin + in_split, rows)
    # Sums are taken of the distances from the mean of the first rows: those of squares
    # would lose a variance that is small against the mean.
    row, valid = _rows_of(begin, end, inside, at_once)
    first = read(x + row * channels + c[None, :], valid)
    near = tl.sum(first, axis=0) / tl.minimum(end - begin, at_once)
    total = tl.zeros([at_once, wide], tl.float32)
    squares = tl.zeros([at_once, wide], tl.float32)
    for start in range(begin, end, at_once):
        row, valid = _rows_of(start, end, inside, at_once)
        value = read(x + row * channels + c[None, :], valid) - near[None, :]
        value = tl.where(valid, value, 0.0)
        total += value
        squares += value * value
    distance = tl.sum(total, axis=0) / (end - begin)
    squared = tl.sum(squares, axis=0) - distance * distance * (end - begin)
    to = sums + split * 2 * channels + c
    tl.store(to, near + distance, mask=inside)
    tl.store(to + channels, tl.maximum(squared, 0.0), mask=inside)


@_kernel
def _normalise(
    x,
    y,
    sums,
    weight,
    bias,
    statistics,
    running_mean,
    running_var,
    momentum,
    eps,
    rows,
    channels,
    in_split,
    splits,
    relu: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """y (N, C), statistics (2, C): mean and 1 / deviation; the running averages."""
    split = tl.program_id(0)
    channels *= unit
    c, inside = channels_of(channels, wide)
    total = tl.zeros([at_once, wide], tl.float32)
    for start in range(0, splits, at_once):
        i, valid = _rows_of(start, splits, inside, at_once)
        one = read(sums + i * (2 * channels) + c[None, :], valid)
        total += one * tl.minimum(in_split, rows - i * in_split)
    mean = tl.sum(total, axis=0) / rows
    total = tl.zeros([at_once, wide], tl.float32)
    for start in range(0, splits, at_once):
        i, valid = _rows_of(start, splits, inside, at_once)
        at = sums + i * (2 * channels) + c[None, :]
        one = read(at, valid) - mean[None, :]
        squared = one * one * tl.minimum(in_split, rows - i * in_split)
        squared += read(at + channels, valid)
        total += tl.where(valid, squared, 0.0)
    variance = tl.sum(total, axis=0) / rows
    inverse = 1.0 / tl.sqrt(variance + eps)
    if split == 0:
        tl.store(statistics + c, mean, mask=inside)
        tl.store(statistics + channels + c, inverse, mask=inside)
        kept = read(running_mean + c, inside)
        tl.store(running_mean + c, kept + momentum * (mean - kept), mask=inside)
        kept = read(running_var + c, inside)
        unbiased = variance * (rows / (rows - 1.0))
        tl.store(running_var + c, kept + momentum * (unbiased - kept), mask=inside)
    scale = read(weight + c, inside) * inverse
    shift = read(bias + c, inside)
    _put_out(x, y, mean, scale, shift, rows, channels, in_split, relu, at_once, wide)


@_kernel
def _apply(
    x,
    y,
    weight,
    bias,
    mean_of,
    variance_of,
    eps,
    rows,
    channels,
    in_split,
    relu: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """y (N, C) by averages that are given."""
    channels *= unit
    c, inside = channels_of(channels, wide)
    mean = read(mean_of + c, inside)
    scale = read(weight + c, inside) / tl.sqrt(read(variance_of + c, inside) + eps)
    shift = read(bias + c, inside)
    _put_out(x, y, mean, scale, shift, rows, channels, in_split, relu, at_once, wide)


@_kernel
def _gradient_sums(
    x,
    g,
    sums,
    weight,
    bias,
    statistics,
    rows,
    channels,
    g_stride,
    in_split,
    relu: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """Σ g and Σ g·(x − mean) of every split: sums (splits, 2, C)."""
    split = tl.program_id(0)
    channels *= unit
    c, inside = channels_of(channels, wide)
    mean = read(statistics + c, inside)
    scale = read(weight + c, inside)
    scale *= read(statistics + channels + c, inside)
    shift = read(bias + c, inside)
    of_bias = tl.zeros([at_once, wide], tl.float32)
    of_scale = tl.zeros([at_once, wide], tl.float32)
    begin = split * in_split
    end = tl.minimum(begin + in_split, rows)
    for start in range(begin, end, at_once):
        row, valid = _rows_of(start, end, inside, at_once)
        value = read(x + row * channels + c[None, :], valid) - mean[None, :]
        gradient = read(g + row * (g_stride * unit) + c[None, :], valid)
        if relu:
            gradient = _behind_relu(value, gradient, scale, shift)
        of_bias += gradient
        of_scale += tl.where(valid, gradient * value, 0.0)
    to = sums + split * 2 * channels + c
    tl.store(to, tl.sum(of_bias, axis=0), mask=inside)
    tl.store(to + channels, tl.sum(of_scale, axis=0), mask=inside)


@_kernel
def _gradients(
    x,
    g,
    of_x,
    sums,
    weight,
    bias,
    of_weight,
    of_bias,
    statistics,
    rows,
    channels,
    g_stride,
    in_split,
    splits,
    relu: tl.constexpr,
    unit: tl.constexpr,
    at_once: tl.constexpr,
    wide: tl.constexpr,
):
    """Gradients of x (N, C), weight and bias (C,)."""
    split = tl.program_id(0)
    channels *= unit
    c, inside = channels_of(channels, wide)
    total = tl.zeros([at_once, wide], tl.float32)
    scaled = tl.zeros([at_once, wide], tl.float32)
    for start in range(0, splits, at_once):
        i, valid = _rows_of(start, splits, inside, at_once)
        at = sums + i * (2 * channels) + c[None, :]
        total += read(at, valid)
        scaled += read(at + channels, valid)
    mean = read(statistics + c, inside)
    inverse = read(statistics + channels + c, inside)
    summed, along = tl.sum(total, axis=0), tl.sum(scaled, axis=0) * inverse
    if split == 0:
        tl.store(of_bias + c, summed, mask=inside)
        tl.store(of_weight + c, along, mask=inside)
    everywhere, along = summed / rows, along * inverse / rows
    scale = read(weight + c, inside) * inverse
    shift = read(bias + c, inside)
    begin = split * in_split
    end = tl.minimum(begin + in_split, rows)
    for start in range(begin, end, at_once):
        row, valid = _rows_of(start, end, inside, at_once)
        value = read(x + row * channels + c[None, :], valid) - mean[None, :]
        gradient = read(g + row * (g_stride * unit) + c[None, :], valid)
        if relu:
            gradient = _behind_relu(value, gradient, scale, shift)
        gradient -= everywhere[None, :] + value * along[None, :]
        gradient *= scale[None, :]
        tl.store(of_x + row * channels + c[None, :], gradient, mask=valid)


class _Shared(NamedTuple):
    """How the rows of a tensor are shared among programs: arguments of the kernels."""

    splits: int
    grid: tuple[int, int]
    counts: tuple[int, ...]
    settings: dict[str, int]


@functools.lru_cache(1024)
def _shared(rows: int, channels: int, g_stride: int | None = None) -> _Shared:
    # So many splits that reading the sums of all takes little against reading the rows.
    in_split = ceil_divided(rows, max(1, min(512, math.isqrt(rows // 8))))
    splits = ceil_divided(rows, in_split)
    strides = [channels] if g_stride is None else [channels, g_stride]
    unit, wide = in_units(*strides), width_of(channels)
    counts = rows, *(stride // unit for stride in strides), in_split
    settings = dict(unit=unit, at_once=_AT_ONCE // wide, wide=wide, num_warps=_WARPS)
    return _Shared(splits, (splits, ceil_divided(channels, wide)), counts, settings)


def normalised(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
    relu: bool,
) -> tuple[Tensor, Tensor]:
    """Forward pass of ``batch_norm``: its result, and statistics for the gradient."""
    rows, channels = x.shape
    splits, grid, counts, settings = _shared(rows, channels)
    y, options = torch.empty_like(x), dict(dtype=torch.float32, device=x.device)
    sums = torch.empty((splits, 2, channels), **options)
    statistics = torch.empty((2, channels), **options)
    _statistics[grid](x, sums, *counts, **settings)
    _normalise[grid](
        *(x, y, sums, weight, bias, statistics, running_mean, running_var),
        *(momentum, eps, *counts, splits),
        relu=relu,
        **settings,
    )
    return y, statistics


def gradients(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    statistics: Tensor,
    relu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Of x, weight and bias, by that of the result."""
    if gradient.stride(1) != 1 or gradient.stride(0) < gradient.shape[1]:
        gradient = gradient.contiguous()
    splits, grid, counts, settings = _shared(*x.shape, gradient.stride(0))
    of_x, of_weight, of_bias = (torch.empty_like(like) for like in (x, weight, bias))
    sums = statistics.new_empty((splits, *statistics.shape))
    given = x, gradient
    _gradient_sums[grid](
        *(*given, sums, weight, bias, statistics, *counts), relu=relu, **settings
    )
    _gradients[grid](
        *(*given, of_x, sums, weight, bias, of_weight, of_bias, statistics),
        *(*counts, splits),
        relu=relu,
        **settings,
    )
    return of_x, of_weight, of_bias


class _BatchNorm(torch.autograd.Function):
    """Keeps its input alone: the ReLU's side is computed again from it."""

    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, *settings):
        y, statistics = normalised(
            x, weight, bias, running_mean, running_var, *settings
        )
        ctx.save_for_backward(x, weight, bias, statistics)
        *_, ctx.relu = settings
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        return *gradients(gradient, *ctx.saved_tensors, ctx.relu), *[None] * 5


def batch_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
    relu: bool,
) -> Tensor:
    """Batch norm in training, which updates the running averages, and ReLU or not.

    Args:
        x: (N, C), N at least 2, of float32, bfloat16 or float16; the channels of a row
            lie side by side.
        weight, bias, running_mean, running_var: (C,).
        momentum, eps: As PyTorch has them.
        relu: Whether the ReLU is computed.

    Returns:
        (N, C), in the dtype of x.
    """
    vectors = weight, bias, running_mean, running_var
    with torch.cuda.device_of(x):
        return _BatchNorm.apply(x, *vectors, momentum, eps, relu)


def fixed_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    eps: float,
    relu: bool,
) -> Tensor:
    """Batch norm in evaluation, and ReLU or not; it has no gradient.

    Args:
        x: As above.
        weight, bias, mean, var: (C,).
        eps: As PyTorch has it.
        relu: Whether the ReLU is computed.

    Returns:
        (N, C), in the dtype of x.
    """
    y = torch.empty_like(x)
    _, grid, counts, settings = _shared(*x.shape)
    with torch.cuda.device_of(x):
        _apply[grid](x, y, weight, bias, mean, var, eps, *counts, relu=relu, **settings)
    return y
