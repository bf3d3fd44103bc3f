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

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign import compat

Size2 = tuple[int, int]


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
        kernel, stride, padding = self.kernel_size, self.stride, self.padding
        if max(*kernel, *stride) == 1 and not any(padding):
            return _as_volume(
                F.linear(_in_memory(x), self.weight.flatten(1), self.bias)
            )
        if _is_thin(self, slice(0, 1)):
            y = compat.convolution(
                _frames(x), self.weight[:, :, 0], self.bias, stride[1:], padding[1:]
            )
            return _from_frames(y, len(x))
        if _is_thin(self, slice(1, 3)):
            y = compat.convolution(
                _columns(x),
                self.weight.flatten(3),
                self.bias,
                (stride[0], 1),
                (padding[0], 0),
            )
            return _from_columns(y, x.shape[3:])
        y = _function(_SumOfShifts, x, self.weight, stride, padding)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1, 1)


class ConvTranspose3d(nn.ConvTranspose3d):
    """``nn.ConvTranspose3d`` as above."""

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W'), of ``output_size`` in the end."""
        if _is_foreign(self):
            return super().forward(x, output_size)
        stride, padding = self.stride, self.padding
        more = self._output_padding(
            x, output_size, stride, padding, self.kernel_size, 3, self.dilation
        )
        if _is_thin(self, slice(0, 1)):
            y = compat.transposed_convolution(
                _frames(x),
                self.weight[:, :, 0],
                self.bias,
                stride[1:],
                padding[1:],
                more[1:],
            )
            return _from_frames(y, len(x))
        if _is_thin(self, slice(1, 3)):
            y = compat.transposed_convolution(
                _columns(x),
                self.weight.flatten(3),
                self.bias,
                (stride[0], 1),
                (padding[0], 0),
                (more[0], 0),
            )
            return _from_columns(y, x.shape[3:])
        y = _function(_StackOfShifts, x, self.weight, stride, padding, tuple(more))
        return y if self.bias is None else y + self.bias.view(-1, 1, 1, 1)


class BatchNorm3d(nn.BatchNorm3d):
    """``nn.BatchNorm3d`` as above."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W), the same."""
        return _from_frames(super().forward(_frames(x)), len(x))

    def _check_input_dim(self, x: Tensor) -> None:
        if x.dim() != 4:
            raise ValueError(f'expected (B, C, T, H, W), got {tuple(x.shape)}')


class MaxPool3d(nn.Module):
    """``nn.MaxPool3d`` as above; where values are equal, another one may be taken.

    In the dtype that comes: autocast on a CPU would make it float32.
    """

    def __init__(
        self,
        kernel_size: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int] = (0, 0, 0),
    ) -> None:
        super().__init__()
        self.kernel_size = tuple(kernel_size)
        self.stride = tuple(stride)
        self.padding = tuple(padding)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C, T', H', W')."""
        kernel, stride, padding = self.kernel_size, self.stride, self.padding
        with torch.autocast(x.device.type, enabled=False):
            y = F.max_pool2d(_frames(x), kernel[1:], stride[1:], padding[1:])
            y = _from_frames(y, len(x))
            if kernel[0] == stride[0] == 1:
                return y
            size = y.shape[3:]
            y = F.max_pool2d(
                _columns(y), (kernel[0], 1), (stride[0], 1), (padding[0], 0)
            )
            return _from_columns(y, size)

    def extra_repr(self) -> str:
        return (
            f'kernel_size={self.kernel_size}, stride={self.stride}, '
            f'padding={self.padding}'
        )


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


def _function(
    function: type[torch.autograd.Function], x: Tensor, weight: Tensor, *settings
) -> Tensor:
    """A function of (B, T, H, W, C) and a weight, in autocast's dtype."""
    dtype = compat.autocast_dtype(x.device.type) or x.dtype
    y = function.apply(_in_memory(x).to(dtype), weight.to(dtype), *settings)
    return _as_volume(y)


class _SumOfShifts(torch.autograd.Function):
    """k×h×w convolution of x (B, T, H, W, C) by weight (C', C, k, h, w)."""

    @staticmethod
    def forward(ctx, x, weight, stride, padding):
        ctx.save_for_backward(x, weight)
        ctx.settings = stride, padding
        y = F.conv2d(_images(x), _side_by_side(weight), None, stride[1:], padding[1:])
        return _sum_shifts(_batch(y, len(x)), weight.shape[2], stride[0], padding[0])

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        stride, padding = ctx.settings
        k = weight.shape[2]
        parts = _stack_shifts(gradient, k, x.shape[1], stride[0], padding[0])
        of_x, of_weight = compat.convolution_backward(
            _images(parts),
            _images(x),
            _side_by_side(weight),
            stride[1:],
            padding[1:],
            needed=ctx.needs_input_grad[:2],
        )
        if of_x is not None:
            of_x = _batch(of_x, len(x))
        return of_x, _apart(of_weight, k), None, None


class _StackOfShifts(torch.autograd.Function):
    """Transposed k×h×w convolution of x (B, T, H, W, C) by weight (C, C', k, h, w)."""

    @staticmethod
    def forward(ctx, x, weight, stride, padding, more):
        ctx.save_for_backward(x, weight)
        ctx.settings = stride, padding, more
        k = weight.shape[2]
        frames = (x.shape[1] - 1) * stride[0] - 2 * padding[0] + k + more[0]
        ctx.frames = frames
        y = F.conv_transpose2d(
            _images(_stack_shifts(x, k, frames, stride[0], padding[0])),
            _side_by_side(weight),
            None,
            stride[1:],
            padding[1:],
            more[1:],
        )
        return _batch(y, len(x))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        stride, padding, more = ctx.settings
        k = weight.shape[2]
        parts = _stack_shifts(x, k, ctx.frames, stride[0], padding[0])
        of_parts, of_weight = compat.convolution_backward(
            _images(gradient),
            _images(parts),
            _side_by_side(weight),
            stride[1:],
            padding[1:],
            needed=ctx.needs_input_grad[:2],
            output_padding=more[1:],
        )
        of_x = None
        if of_parts is not None:
            of_x = _sum_shifts(_batch(of_parts, len(x)), k, stride[0], padding[0])
        return of_x, _apart(of_weight, k), None, None, None


def _images(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B·T, C, H, W)."""
    return x.contiguous().flatten(0, 1).permute(0, 3, 1, 2)


def _batch(x: Tensor, clips: int) -> Tensor:
    """(B·T, C, H, W) → (B, T, H, W, C)."""
    return x.permute(0, 2, 3, 1).unflatten(0, (clips, -1))


def _side_by_side(weight: Tensor) -> Tensor:
    """(M, N, k, h, w) → (k·M, N, h, w), the last position in time first."""
    return weight.flip(2).permute(2, 0, 1, 3, 4).flatten(0, 1)


def _apart(weight: Tensor | None, k: int) -> Tensor | None:
    """What ``_side_by_side`` did, undone."""
    if weight is None:
        return None
    return weight.unflatten(0, (k, -1)).permute(1, 2, 0, 3, 4).flip(2)


def _sum_shifts(y: Tensor, k: int, stride: int, padding: int) -> Tensor:
    """(B, T, H, W, k·C) → (B, T', H, W, C): the sum of y[t·s + j − p] over j < k.

    Of frame t·s + j − p the part for position j of the kernel in time. In float32
    at least.
    """
    y = y.unflatten(-1, (k, -1))
    frames = y.shape[1]
    steps = (frames + 2 * padding - k) // stride + 1
    dtype = torch.promote_types(y.dtype, torch.float32)
    total = torch.zeros(
        (len(y), steps, *y.shape[2:4], y.shape[5]), dtype=dtype, device=y.device
    )
    for j in range(k):
        # The steps for which position j lies within the clip.
        first = max(0, -((j - padding) // stride))
        last = min(steps - 1, (frames - 1 - j + padding) // stride)
        if first <= last:
            begin, end = (t * stride + j - padding for t in (first, last))
            total[:, first : last + 1] += y[
                :, begin : end + 1 : stride, ..., k - 1 - j, :
            ]
    return total.to(y.dtype)


def _stack_shifts(y: Tensor, k: int, frames: int, stride: int, padding: int) -> Tensor:
    """(B, T', H, W, C) → (B, T, H, W, k·C): the mirror image of ``_sum_shifts``.

    Frame t has, side by side, the k steps that it is added to, zeros where there is
    none.

    Args:
        y: Steps.
        k, stride, padding: Of the kernel in time.
        frames: T.
    """
    if stride > 1:
        spread = y.new_zeros((len(y), (y.shape[1] - 1) * stride + 1, *y.shape[2:]))
        spread[:, ::stride] = y
        y = spread
    before = k - 1 - padding
    y = F.pad(y, (0,) * 6 + (before, frames + padding - y.shape[1]))
    return y.unfold(1, k, 1).movedim(-1, -2).flatten(-2)
