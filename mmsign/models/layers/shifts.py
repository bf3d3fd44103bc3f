"""Convolutions of k×h×w, and their mirror images, as one in two dimensions.

Symbols: B clips, T frames, C channels, H×W pixels, k frames of a kernel, s its
stride and p its padding in time, j a position in it.

A convolution makes k·C' channels of every frame; step t is the sum over j of the part j
of frame t·s + j − p. A transposed one lays its input out so: k shifted frames side by
side in the channels.
"""

from collections.abc import Iterator, Sequence
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign import compat


def kernels_for(x: Tensor) -> ModuleType | None:
    """``kernels`` for such an input; None where operators of PyTorch are to compute.

    Those do on a CPU, without Triton, in float64, and where a network is written down.
    """
    if not x.is_cuda or not compat.has_triton():
        return None
    if torch.jit.is_tracing() or compat.is_compiling():
        return None
    # Imported late, as they need Triton.
    from . import kernels

    return kernels if kernels.are_usable(x.device, x.dtype) else None


def images(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B·T, C, H, W)."""
    return x.contiguous().flatten(0, 1).permute(0, 3, 1, 2)


def clips_of(x: Tensor, clips: int) -> Tensor:
    """(B·T, C, H, W) → (B, T, H, W, C)."""
    return x.permute(0, 2, 3, 1).unflatten(0, (clips, -1))


def sum_of_shifts(
    x: Tensor, weight: Tensor, k: int, stride: Sequence[int], padding: Sequence[int]
) -> Tensor:
    """k×h×w convolution of (B, T, H, W, C) by a weight (k·C', C, h, w).

    On a CPU, where no gradient is wanted, by a few positions j after the other, of the
    frames that they look at.
    """
    if _in_one_launch(x) or torch.is_grad_enabled():
        y = compat.convolution(images(x), weight, None, stride[1:], padding[1:])
        return _SummedShifts.apply(clips_of(y, len(x)), k, stride[0], padding[0])
    frames, total = x.shape[1], None
    steps = (frames + 2 * padding[0] - k) // stride[0] + 1
    channels = len(weight) // k
    at_once = max(1, _MOST_SUMMED // channels)
    for j in range(0, k, at_once):
        count = min(at_once, k - j)
        begin = min(max(0, j - padding[0]), frames - 1)
        end = (steps - 1) * stride[0] + j + count - padding[0]
        end = max(begin + 1, min(frames, end))
        rows = weight[j * channels : (j + count) * channels]
        y = F.conv2d(images(x[:, begin:end]), rows, None, stride[1:], padding[1:])
        y = clips_of(y, len(x)).unflatten(-1, (count, channels))
        if total is None:
            size, dtype = y.shape[2:4], at_least_float32(y.dtype)
            total = y.new_zeros((len(x), steps, *size, channels), dtype=dtype)
        shift = stride[0], padding[0] - j + begin
        for i, at, looked_at in _shifts(count, end - begin, steps, *shift):
            total[:, at].add_(y[:, looked_at, :, :, i])
    return total.to(x.dtype)


# Channels of one convolution: with fewer less is saved, wider ones are slower.
_MOST_SUMMED = 256


class _SummedShifts(torch.autograd.Function):
    """``_sum_shifts``, which keeps nothing for its gradient."""

    @staticmethod
    def forward(ctx, y, k, stride, padding):
        ctx.settings = k, y.shape[1], stride, padding
        steps = (y.shape[1] + 2 * padding - k) // stride + 1
        return _sum_shifts(y, k, stride, padding, steps)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        return _place_shifts(gradient, *ctx.settings), None, None, None


class PlacedShifts(torch.autograd.Function):
    """Transposed k×h×w convolution of (B, T, H, W, C) by a weight (k·C, C', h, w).

    The shifted copies of the input are made again for its gradient, not kept.
    """

    @staticmethod
    def forward(ctx, x, weight, k, stride, padding, more):
        frames = (x.shape[1] - 1) * stride[0] - 2 * padding[0] + k + more[0]
        ctx.in_time = k, frames, stride[0], padding[0]
        ctx.in_space = stride[1:], padding[1:], more[1:]
        ctx.save_for_backward(x, weight)
        y = None
        for placed, part, _ in _placed(x, weight, *ctx.in_time):
            of_part = F.conv_transpose2d(placed, part, None, *ctx.in_space)
            y = of_part if y is None else y.add_(of_part)
        return clips_of(y, len(x))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        of_x, of_weight = None, []
        for placed, part, shift in _placed(x, weight, *ctx.in_time):
            of_placed, of_part = compat.transposed_convolution_backward(
                images(gradient), placed, part, *ctx.in_space, ctx.needs_input_grad[:2]
            )
            of_weight.append(of_part)
            if of_placed is not None:
                of_placed = clips_of(of_placed, len(x))
                found = _sum_shifts(of_placed, *shift, x.shape[1])
                of_x = found if of_x is None else of_x.add_(found)
        if not ctx.needs_input_grad[1]:
            of_weight = [None]
        whole = of_weight[0] if len(of_weight) == 1 else torch.cat(of_weight)
        return of_x, whole, None, None, None, None


# Of one transposed convolution on a CPU: oneDNN is slower with wider ones.
_MOST_CHANNELS = 2048


def _placed(
    x: Tensor, weight: Tensor, k: int, frames: int, stride: int, padding: int
) -> Iterator[tuple[Tensor, Tensor, tuple[int, int, int]]]:
    """Some positions j of a kernel after the other.

    Yields:
        Their frames side by side, (B·T, n·C, H, W), their rows of the weight, and what
        a kernel of these alone would be: n, stride and padding in time.
    """
    channels = x.shape[-1]
    at_once = k if _in_one_launch(x) else max(1, _MOST_CHANNELS // channels)
    for j in range(0, k, at_once):
        count = min(at_once, k - j)
        shift = count, stride, padding - j
        rows = weight[j * channels : (j + count) * channels]
        yield images(_place_shifts(x, count, frames, *shift[1:])), rows, shift


def _shifts(
    k: int, frames: int, steps: int, stride: int, padding: int
) -> Iterator[tuple[int, slice, slice]]:
    """For each position j of a kernel in time, the steps for which it lies within the
    clip, and the frames t·s + j − p that it looks at there."""
    for j in range(k):
        first = max(0, -((j - padding) // stride))
        last = min(steps - 1, (frames - 1 - j + padding) // stride)
        if first <= last:
            begin, end = (t * stride + j - padding for t in (first, last))
            yield j, slice(first, last + 1), slice(begin, end + 1, stride)


def _sum_shifts(y: Tensor, k: int, stride: int, padding: int, steps: int) -> Tensor:
    """(B, T, H, W, k·C) → (B, T', H, W, C): step t is Σ_j y[t·s + j − p, …, j].

    The sum is in float32 at least.
    """
    if kernels := kernels_for(y):
        return kernels.sum_shifts(y, k, stride, padding, steps)
    y = y.unflatten(-1, (k, -1))
    clips, frames, *size, _, channels = y.shape
    if _in_one_launch(y):
        behind = (steps - 1) * stride + k - padding - frames
        y = F.pad(y, (0, 0) * 4 + (padding, behind))
        of_clip, of_frame, *of_pixel, of_j, _ = y.stride()
        strides = of_clip, stride * of_frame, *of_pixel, of_frame + of_j, 1
        return y.as_strided((clips, steps, *size, k, channels), strides).sum(-2)
    dtype = at_least_float32(y.dtype)
    shifts = [
        (at, y[:, looked_at, :, :, j])
        for j, at, looked_at in _shifts(k, frames, steps, stride, padding)
    ]
    # One that every step has, if there is one, is the first.
    shifts.sort(key=lambda shift: -shift[1].shape[1])
    if shifts and shifts[0][1].shape[1] == steps:
        total = shifts.pop(0)[1].to(dtype, copy=True)
    else:
        total = y.new_zeros((clips, steps, *size, channels), dtype=dtype)
    for at, part in shifts:
        total[:, at].add_(part)
    return total.to(y.dtype)


def _place_shifts(y: Tensor, k: int, frames: int, stride: int, padding: int) -> Tensor:
    """(B, T', H, W, C) → (B, T, H, W, k·C): the mirror image of ``_sum_shifts``.

    Each step is copied to where it was looked at, zeros are where nothing was.
    """
    if kernels := kernels_for(y):
        return kernels.place_shifts(y, k, frames, stride, padding)
    steps = y.shape[1]
    # Frame f looks at f + k − 1 − p − j of the steps, s apart.
    first = k - 1 - padding
    before = -(-first // stride)
    begin = before * stride - first
    after = max(0, -(-(begin + k - 1 + frames) // stride) - before - steps)
    y = F.pad(y[:, :, None], (0, 0) * 3 + (0, stride - 1, before, after)).flatten(1, 2)
    looked_at = (y[:, begin + k - 1 - j :][:, :frames] for j in range(k))
    return torch.cat(list(looked_at), dim=-1)


def at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """In which to sum values of a dtype."""
    return torch.float32 if dtype.itemsize < 4 else dtype


def _in_one_launch(y: Tensor) -> bool:
    # A CPU takes several times as long for sums over such views.
    return y.device.type != 'cpu'
