"""Convolutions on a CPU, of inputs hardly larger than the kernel or smaller.

Answered fault: torch (2.13) has oneDNN compute them, which gets gradients wrong, those
of the weights above all, where a kernel reaches into the padding at both ends of an
axis: they are garbage, or memory is overwritten and the process dies. In bfloat16
(with or without instructions for it) all such convolutions are affected; in float32,
with AVX-512, those in 3D with a stride in time. Inputs are that small in the late
stages of a short clip or of small frames. Zeros that are part of the input, in place
of padding, avoid it. Can go when ``tests/compat/test_small_convolutions.py`` passes
without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from mmsign.compat.mixed_precision import autocast_dtype

_PLAIN = (F.conv1d, F.conv2d, F.conv3d)
_TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)


def patch_small_convolutions(module: nn.Module) -> None:
    """Give every convolution in a module gradients that can be trusted on a CPU.

    Outputs stay the same up to rounding; nothing changes where no gradient is wanted.
    """
    for part in module.modules():
        # Of the object, not the class: other networks are none of our business, and
        # MMCV's layers are subclasses. A partial is copied and pickled with its object.
        if isinstance(part, _ConvTransposeNd) and not _is_safe(part):
            part.forward = partial(_transposed_forward, part)
        elif isinstance(part, _ConvNd):
            part._conv_forward = partial(_conv_forward, part)


def _is_safe(part: nn.Module) -> bool:
    # mmsign's own layers call the functions below themselves.
    return type(part).__module__.startswith('mmsign.')


def convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """``F.conv1d``, ``conv2d`` or ``conv3d`` with gradients that can be trusted.

    Args:
        x: (B, C, …) or (C, …).
        weight: (C', C / groups, …), with one to three axes of a kernel, which decide.

    Returns:
        (B, C', …), or (C', …).
    """
    axes = weight.dim() - 2
    strides = _per_axis(stride, axes)
    looked_at = _axes_at_risk(x, weight, strides)
    if looked_at and padding not in (0, 'valid'):
        reaches = _reaches(weight, dilation)
        if padding == 'same':
            amounts = [((n - 1) // 2, n // 2) for n in reaches]
        else:
            amounts = [(n, n) for n in _per_axis(padding, axes)]
        if any(map(sum, amounts)) and _is_small(
            x.shape[-axes:][:looked_at], reaches, strides
        ):
            x = F.pad(x, [n for pair in reversed(amounts) for n in pair])
            padding = 0
    return _PLAIN[axes - 1](x, weight, bias, stride, padding, dilation, groups)


def transposed_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
    groups: int = 1,
    dilation: Sequence[int] | int = 1,
) -> Tensor:
    """``F.conv_transpose1d``, ``2d`` or ``3d``, likewise.

    Args:
        x: (B, C, …) or (C, …).
        weight: (C, C' / groups, …).

    Returns:
        (B, C', …), or (C', …).
    """
    axes = weight.dim() - 2
    function = _TRANSPOSED[axes - 1]
    reaches = _reaches(weight, dilation)
    sizes = [
        (size - 1) * s - 2 * p + reach + more
        for size, s, p, reach, more in zip(
            x.shape[-axes:], stride, padding, reaches, output_padding
        )
    ]
    looked_at = _axes_at_risk(x, weight, stride)
    cut = any(padding) and _is_small(sizes[:looked_at], reaches, stride)
    y = function(
        x, weight, bias, stride, 0 if cut else padding, output_padding, groups, dilation
    )
    if cut:
        for axis, (before, size) in enumerate(zip(padding, sizes), start=-axes):
            y = y.narrow(axis, before, size)
    return y


def convolution_backward(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    needed: Sequence[bool],
    output_padding: Sequence[int] | None = None,
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of a 2D convolution's input and weight, those that are needed.

    Args:
        gradient: Of the output, (B, C', H', W').
        x: The input, (B, C, H, W).
        weight: (C', C, h, w), or, transposed, (C, C', h, w).
        stride, padding: Of the convolution.
        needed: Whether the input's and the weight's gradient is.
        output_padding: Of a transposed convolution; None for one that is not.
    """
    transposed = output_padding is not None
    large = gradient if transposed else x
    risky = x.device.type == 'cpu' and x.dtype == torch.bfloat16
    cut = (
        risky and any(padding) and _is_small(large.shape[2:], weight.shape[2:], stride)
    )
    if cut:
        rows, columns = padding
        large = F.pad(large, (columns, columns, rows, rows))
        gradient, x = (large, x) if transposed else (gradient, large)
    of_x, of_weight, _ = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        None,
        stride,
        (0, 0) if cut else padding,
        (1, 1),
        transposed,
        output_padding or (0, 0),
        1,
        (*needed, False),
    )
    if cut and not transposed and of_x is not None:
        of_x = of_x[
            :, :, rows : of_x.shape[2] - rows, columns : of_x.shape[3] - columns
        ]
    return of_x, of_weight


def _conv_forward(
    module: _ConvNd, x: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    if module.padding_mode != 'zeros':
        return type(module)._conv_forward(module, x, weight, bias)
    return convolution(
        x, weight, bias, module.stride, module.padding, module.dilation, module.groups
    )


def _transposed_forward(
    module: _ConvTransposeNd, x: Tensor, output_size: Sequence[int] | None = None
) -> Tensor:
    more = module._output_padding(
        x,
        output_size,
        module.stride,
        module.padding,
        module.kernel_size,
        module.weight.dim() - 2,
        module.dilation,
    )
    return transposed_convolution(
        x,
        module.weight,
        module.bias,
        module.stride,
        module.padding,
        more,
        module.groups,
        module.dilation,
    )


def _axes_at_risk(x: Tensor, weight: Tensor, strides: Sequence[int]) -> int:
    """On how many axes, from the first on, a small input is at risk."""
    axes = weight.dim() - 2
    if (
        x.device.type != 'cpu'
        or not torch.is_grad_enabled()
        or not (x.requires_grad or weight.requires_grad)
    ):
        return 0
    if autocast_dtype('cpu') is not None or x.dtype == torch.bfloat16:
        return axes
    return 1 if axes == 3 and strides[0] > 1 else 0


def _is_small(
    sizes: Sequence[int], reaches: Sequence[int], strides: Sequence[int]
) -> bool:
    """Whether one of these axes is shorter than kernel and stride together.

    Faults were seen at axes up to a kernel's length; the rest is caution, and cheap.
    """
    return any(
        size < reach + stride
        for size, reach, stride in zip(sizes, reaches, strides)
        if reach > 1 or stride > 1
    )


def _reaches(weight: Tensor, dilation: int | Sequence[int]) -> list[int]:
    """From a kernel's first position to its last, per axis."""
    kernel = weight.shape[2:]
    return [d * (k - 1) + 1 for k, d in zip(kernel, _per_axis(dilation, len(kernel)))]


def _per_axis(value: int | Sequence[int], axes: int) -> Sequence[int]:
    return (value,) * axes if isinstance(value, int) else value
