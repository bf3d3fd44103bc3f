"""3D layers as two-dimensional operations on one memory.

Symbols: B clips, C channels, T frames, H×W pixels, k frames of a kernel, s its stride
and p its padding in time.

Activations are (B, C, T, H, W) tensors that lie in memory as (B, T, H, W, C). Seen so,
every layer is one matrix product or one two-dimensional operation on a view:

==================  ==================================================================
1×1×1 convolution   a matrix product over C
1×h×w convolution   of B·T frames
k×1×1 convolution   of B images of T×(H·W) pixels
k×h×w convolution   of B·T frames, with k·C' outputs; then the sum of k shifted frames
batch norm          of B·T frames
max pooling         of B·T frames, then of B images of T×(H·W) pixels
==================  ==================================================================

Transposed convolutions likewise, those of k×h×w from k shifted frames side by side in
the channels. Kernels for two dimensions are several times faster than those for three,
on GPUs in 16 bit above all. The same code serves every device, layout and batch size;
an input that lies otherwise is copied at the first layer. Parameters are those of
PyTorch's layers, and so are results up to rounding. ONNX files get PyTorch's layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign import compat


def _in_memory(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, T, H, W, C), contiguous."""
    return x.permute(0, 2, 3, 4, 1).contiguous()


def _as_volume(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B, C, T, H, W), a view."""
    return x.permute(0, 4, 1, 2, 3)


def _frames(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B·T, C, H, W)."""
    return _images(_in_memory(x))


def _from_frames(x: Tensor, clips: int) -> Tensor:
    """(B·T, C, H, W) → (B, C, T, H, W)."""
    return _as_volume(_batch(x, clips))


def _columns(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, C, T, H·W)."""
    return _in_memory(x).flatten(2, 3).permute(0, 3, 1, 2)


def _from_columns(x: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, T, H·W) → (B, C, T, H, W)."""
    return _as_volume(x.permute(0, 2, 3, 1).unflatten(2, tuple(size)))


class Conv3d(nn.Conv3d):
    """``nn.Conv3d`` as above."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W')."""
        if _is_foreign(self):
            return super().forward(x)
        if max(*self.kernel_size, *self.stride) == 1 and not any(self.padding):
            y = F.linear(_in_memory(x), self.weight.flatten(1), self.bias)
            return _as_volume(y)
        functions = compat.convolution, _sum_of_shifts
        return _on_views(self, x, functions, self.stride, self.padding)


class ConvTranspose3d(nn.ConvTranspose3d):
    """``nn.ConvTranspose3d`` as above."""

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W'), of ``output_size`` in the end."""
        if _is_foreign(self):
            return super().forward(x, output_size)
        sizes = self.stride, self.padding, self.kernel_size
        more = self._output_padding(x, output_size, *sizes, 3, self.dilation)
        functions = compat.transposed_convolution, _PlacedShifts.apply
        return _on_views(self, x, functions, self.stride, self.padding, tuple(more))


def _on_views(conv: nn.Module, x: Tensor, functions: tuple, *settings) -> Tensor:
    """A convolution of (B, C, T, H, W).

    Args:
        conv: The layer.
        x: Its input.
        functions: For a kernel that is thin in time or in space, and for a full one.
        settings: Stride, padding and, transposed, output padding of every axis.
    """
    thin, full = functions
    if _is_thin(conv, slice(0, 1)):
        weight, settings = _ready(conv.weight[:, :, 0]), [s[1:] for s in settings]
        return _from_frames(thin(_frames(x), weight, conv.bias, *settings), len(x))
    if _is_thin(conv, slice(1, 3)):
        weight, settings = _ready(conv.weight.flatten(3)), [s[:2] for s in settings]
        y = thin(_columns(x), weight, conv.bias, *settings)
        return _from_columns(y, x.shape[3:])
    y = _shifted(full, x, conv.weight, *settings)
    return y if conv.bias is None else y + conv.bias.view(-1, 1, 1, 1)


class BatchNorm3d(nn.BatchNorm3d):
    """``nn.BatchNorm3d`` as above."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W), the same."""
        if torch.onnx.is_in_onnx_export():
            return super().forward(x)
        return _from_frames(super().forward(_frames(x)), len(x))

    def _check_input_dim(self, x: Tensor) -> None:
        """Of four dimensions, or five: ``forward`` has seen to it."""


class MaxPool3d(nn.MaxPool3d):
    """``nn.MaxPool3d`` as above; where values are equal, another one may be taken.

    In the dtype that comes: autocast on a CPU would make it float32. Kernel, stride and
    padding are named for every axis.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C, T', H', W')."""
        if torch.onnx.is_in_onnx_export():
            return super().forward(x)
        sizes = self.kernel_size, self.stride, self.padding
        in_space = [size[1:] for size in sizes]
        in_time = [(size[0], other) for size, other in zip(sizes, (1, 1, 0))]
        with compat.without_autocast(x.device.type):
            y = _from_frames(F.max_pool2d(_frames(x), *in_space), len(x))
            if in_time[0] == in_time[1] == (1, 1):
                return y
            return _from_columns(F.max_pool2d(_columns(y), *in_time), y.shape[3:])


def arrange_weights(module: nn.Module) -> None:
    """Keep the weights of a network's layers as they are used, so that none is copied.

    Shapes and values stay, their order in memory changes.
    """
    for part in module.modules():
        if not isinstance(part, (Conv3d, ConvTranspose3d)) or _is_foreign(part):
            continue
        # (k, M, h, w, N); for a kernel in time alone (M, k, h, w, N).
        in_time = _is_thin(part, slice(1, 3)) and not _is_thin(part, slice(0, 1))
        order = (0, 2, 3, 4, 1) if in_time else (2, 0, 3, 4, 1)
        back = [order.index(axis) for axis in range(5)]
        part.weight.data = part.weight.data.permute(order).contiguous().permute(back)


def _is_foreign(conv: nn.Conv3d | nn.ConvTranspose3d) -> bool:
    """What none of mmsign's networks has, and what is written to ONNX files."""
    return (
        max(conv.dilation) > 1
        or conv.groups > 1
        or conv.padding_mode != 'zeros'
        or isinstance(conv.padding, str)
        or torch.onnx.is_in_onnx_export()
    )


def _is_thin(conv: nn.Module, axes: slice) -> bool:
    """Whether the kernel looks at one position along these axes."""
    sizes = {*conv.kernel_size[axes], *conv.stride[axes]}
    return sizes == {1} and not any(conv.padding[axes])


def _ready(weight: Tensor) -> Tensor:
    """A 2D weight in autocast's dtype, channels last: one copy where two would be."""
    dtype = compat.autocast_dtype(weight.device.type) or weight.dtype
    return weight.to(dtype=dtype, memory_format=torch.channels_last)


def _shifted(function: Callable, x: Tensor, weight: Tensor, *settings) -> Tensor:
    """A function below, in autocast's dtype.

    Args:
        x: (B, C, T, H, W).
        weight: (M, N, k, h, w); the function gets (k·M, N, h, w), by one copy.
    """
    dtype = compat.autocast_dtype(x.device.type) or x.dtype
    weight = weight.permute(2, 0, 3, 4, 1)
    k = len(weight)
    weight = weight.to(dtype=dtype, memory_format=torch.contiguous_format)
    weight = weight.flatten(0, 1).permute(0, 3, 1, 2)
    return _as_volume(function(_in_memory(x).to(dtype), weight, k, *settings))


def _sum_of_shifts(
    x: Tensor, weight: Tensor, k: int, stride: Sequence[int], padding: Sequence[int]
) -> Tensor:
    """k×h×w convolution of (B, T, H, W, C) by a weight (k·C', C, h, w)."""
    y = compat.convolution(_images(x), weight, None, stride[1:], padding[1:])
    return _SummedShifts.apply(_batch(y, len(x)), k, stride[0], padding[0])


class _SummedShifts(torch.autograd.Function):
    """``_sum_shifts``, which keeps nothing for its gradient."""

    @staticmethod
    def forward(ctx, y, k, *settings):
        ctx.settings = k, y.shape[1], *settings
        return _sum_shifts(y, k, *settings)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        return _place_shifts(gradient, *ctx.settings), None, None, None


class _PlacedShifts(torch.autograd.Function):
    """Transposed k×h×w convolution of (B, T, H, W, C) by a weight (k·C, C', h, w).

    The k shifted copies of the input are made again for its gradient, not kept.
    """

    @staticmethod
    def forward(ctx, x, weight, k, stride, padding, more):
        frames = (x.shape[1] - 1) * stride[0] - 2 * padding[0] + k + more[0]
        ctx.in_time = stride[0], padding[0]
        ctx.in_space = stride[1:], padding[1:], more[1:]
        ctx.shape = k, frames
        ctx.save_for_backward(x, weight)
        parts = _images(_place_shifts(x, k, frames, *ctx.in_time))
        return _batch(F.conv_transpose2d(parts, weight, None, *ctx.in_space), len(x))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        parts = _images(_place_shifts(x, *ctx.shape, *ctx.in_time))
        needed = ctx.needs_input_grad[:2]
        of_parts, of_weight = compat.transposed_convolution_backward(
            _images(gradient), parts, weight, *ctx.in_space, needed
        )
        of_x = None
        if of_parts is not None:
            of_x = _sum_shifts(_batch(of_parts, len(x)), ctx.shape[0], *ctx.in_time)
        return of_x, of_weight, None, None, None, None


def _images(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B·T, C, H, W)."""
    return x.contiguous().flatten(0, 1).permute(0, 3, 1, 2)


def _batch(x: Tensor, clips: int) -> Tensor:
    """(B·T, C, H, W) → (B, T, H, W, C)."""
    return x.permute(0, 2, 3, 1).unflatten(0, (clips, -1))


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


def _sum_shifts(y: Tensor, k: int, stride: int, padding: int) -> Tensor:
    """(B, T, H, W, k·C) → (B, T', H, W, C): step t is Σ_j y[t·s + j − p, …, j].

    The sum is in float32 at least.
    """
    y = y.unflatten(-1, (k, -1))
    frames = y.shape[1]
    steps = (frames + 2 * padding - k) // stride + 1
    dtype = torch.promote_types(y.dtype, torch.float32)
    total = y.new_zeros((len(y), steps, *y.shape[2:4], y.shape[5]), dtype=dtype)
    for j, at, looked_at in _shifts(k, frames, steps, stride, padding):
        total[:, at] += y[:, looked_at, :, :, j]
    return total.to(y.dtype)


def _place_shifts(y: Tensor, k: int, frames: int, stride: int, padding: int) -> Tensor:
    """(B, T', H, W, C) → (B, T, H, W, k·C): the mirror image of ``_sum_shifts``.

    Each step is copied to where it was looked at, zeros are where nothing was.
    """
    parts = y.new_zeros((len(y), frames, *y.shape[2:4], k, y.shape[4]))
    for j, at, looked_at in _shifts(k, frames, y.shape[1], stride, padding):
        parts[:, looked_at, :, :, j] = y[:, at]
    return parts.flatten(-2)


MEMORY_FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last_3d': torch.channels_last_3d,
}
"""Of MMAction2's backbones."""


def to_memory_format(module: nn.Module, memory_format: torch.memory_format) -> None:
    """Keep weights in ``memory_format``, those of 2D convolutions in its like.

    Args:
        module: Changed in place.
        memory_format: One of ``MEMORY_FORMATS``.
    """
    last = memory_format == torch.channels_last_3d
    formats = {4: torch.channels_last if last else memory_format, 5: memory_format}
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dim() in formats:
            tensor.data = tensor.data.to(memory_format=formats[tensor.dim()])
