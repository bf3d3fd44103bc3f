"""Convolutions on a CPU, of inputs hardly larger than the kernel or smaller.

Answered fault: torch (2.13) has oneDNN compute them, which gets gradients wrong, those
of the weights above all, where a kernel reaches into the padding at both ends of an
axis: they are garbage, or memory is overwritten and the process dies. In bfloat16
(with or without instructions for it) all such convolutions are affected; in float32,
with AVX-512, those in 3D with a stride in time. Inputs are that small in the late
stages of a short clip or of small frames. Zeros that are part of the input, in place
of padding, avoid it. With AVX2 alone, memory is overwritten as well by the gradients of
a kernel of one position with a stride; taking what it sees out of the input avoids it.
Can go when ``tests/compat/test_small_convolutions.py`` passes without it.
"""

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
        if not isinstance(part, _ConvTransposeNd):
            if isinstance(part, _ConvNd):
                part._conv_forward = partial(_conv_forward, part)
        # mmsign's own layers call the functions below themselves.
        elif not type(part).__module__.startswith('mmsign.'):
            part.forward = partial(_transposed_forward, part)


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
    padded = padding != 'valid' and any(_per_axis(padding, axes))
    if not _wants_gradient(x, weight):
        pass  # Outputs are right.
    elif not padded and weight.shape[2:].numel() == 1:
        strides = _per_axis(stride, axes)
        if max(strides) > 1:  # What a kernel of one position sees of the input.
            x, stride = x[(..., *(slice(None, None, n) for n in strides))], 1
    elif padded:
        reaches = _reaches(weight, dilation)
        if padding == 'same':
            amounts = [((n - 1) // 2, n // 2) for n in reaches]
        else:
            amounts = [(n, n) for n in _per_axis(padding, axes)]
        strides = _per_axis(stride, axes)
        if any(map(sum, amounts)) and _is_small(x, x.shape[-axes:], reaches, strides):
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
    reaches = _reaches(weight, dilation)
    given = zip(x.shape[-axes:], stride, padding, reaches, output_padding)
    sizes = [(n - 1) * s - 2 * p + reach + more for n, s, p, reach, more in given]
    cut = any(padding) and _wants_gradient(x, weight)
    cut = cut and _is_small(x, sizes, reaches, stride)
    settings = stride, 0 if cut else padding, output_padding, groups, dilation
    y = _TRANSPOSED[axes - 1](x, weight, bias, *settings)
    if cut:
        for axis, (before, size) in enumerate(zip(padding, sizes), start=-axes):
            y = y.narrow(axis, before, size)
    return y


def transposed_convolution_backward(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
    needed: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of a transposed 2D convolution's input and weight, those needed.

    Args:
        gradient: Of the output, (B, C', H', W').
        x: The input, (B, C, H, W).
        weight: (C, C', h, w).
        stride, padding, output_padding: Of the convolution.
        needed: Whether the input's and the weight's gradient is.
    """
    at_risk = gradient.device.type == 'cpu' and any(padding)
    if at_risk and _is_small(x, gradient.shape[2:], weight.shape[2:], stride):
        rows, columns = padding
        gradient = F.pad(gradient, (columns, columns, rows, rows))
        padding = 0, 0
    settings = None, stride, padding, (1, 1), True, output_padding, 1, (*needed, False)
    backward = torch.ops.aten.convolution_backward
    return backward(gradient, x, weight, *settings)[:2]


def has_fast_transposed_3d(x: Tensor, weight: Tensor, *settings) -> bool:
    """Whether ``F.conv_transpose3d`` of these is the fastest way: oneDNN's, on a CPU.

    It leaves out what lies beyond a clip's ends, but its gradients are those above.

    Args:
        x, weight, settings: Its arguments: (B, C, T, H, W), (C, C', k, h, w) as
            oneDNN takes it, bias, stride, padding and output padding.
    """
    # Not public. PyTorch's own code for small inputs takes several times as long.
    select = getattr(torch._C, '_select_conv_backend', None)
    if (
        select is None
        or x.device.type != 'cpu'
        or x.dtype != weight.dtype
        or _wants_gradient(x, weight)
        or not weight.is_contiguous(memory_format=torch.channels_last_3d)
    ):
        return False
    bias, stride, padding, more = settings
    backend = select(x, weight, bias, stride, padding, (1, 1, 1), True, more, 1)
    return backend != torch._C._ConvBackend.SlowTranspose3d


def _conv_forward(
    module: _ConvNd, x: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    if module.padding_mode != 'zeros':
        return type(module)._conv_forward(module, x, weight, bias)
    settings = module.stride, module.padding, module.dilation, module.groups
    return convolution(x, weight, bias, *settings)


def _transposed_forward(
    module: _ConvTransposeNd, x: Tensor, output_size: Sequence[int] | None = None
) -> Tensor:
    stride, padding, dilation = module.stride, module.padding, module.dilation
    axes = len(module.kernel_size)
    more = module._output_padding(
        x, output_size, stride, padding, module.kernel_size, axes, dilation
    )
    settings = stride, padding, more, module.groups, dilation
    return transposed_convolution(x, module.weight, module.bias, *settings)


def _wants_gradient(x: Tensor, weight: Tensor) -> bool:
    """Whether there will be a gradient, computed on a CPU."""
    wanted = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    return wanted and x.device.type == 'cpu'


def _is_small(
    x: Tensor, sizes: Sequence[int], reaches: Sequence[int], strides: Sequence[int]
) -> bool:
    """Whether an axis at risk is shorter than kernel and stride together.

    Faults were seen at axes up to a kernel's length; the rest is caution, and cheap.
    """
    low = autocast_dtype('cpu') is not None or x.dtype == torch.bfloat16
    # In float32 the time of 3D alone.
    at_risk = len(sizes) if low else int(len(sizes) == 3 and strides[0] > 1)
    return any(
        size < reach + stride
        for size, reach, stride in zip(sizes[:at_risk], reaches, strides)
        if reach > 1 or stride > 1
    )


def _reaches(weight: Tensor, dilation: int | Sequence[int]) -> list[int]:
    """From a kernel's first position to its last, per axis."""
    kernel = weight.shape[2:]
    return [d * (k - 1) + 1 for k, d in zip(kernel, _per_axis(dilation, len(kernel)))]


def _per_axis(value: int | Sequence[int], axes: int) -> Sequence[int]:
    return (value,) * axes if isinstance(value, int) else value
