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
batch norm          of B·T frames; on a GPU see ``kernels``
max pooling         of B·T frames, then of B images of T×(H·W) pixels; on a GPU see
                    ``kernels``
==================  ==================================================================

Transposed convolutions likewise, those of k×h×w from k shifted frames side by side in
the channels. Kernels for two dimensions are several times faster than those for three,
on GPUs in 16 bit above all. One code serves every layout, batch size and device; only
``shifts`` sums frames in one way on CPUs and another on GPUs, and a transposed layer
prepared for inference on a CPU is oneDNN's of three dimensions. An input that lies
otherwise is copied at the first layer. Parameters are those of PyTorch's layers, and
so are results up to rounding. ONNX files get PyTorch's layers.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign import compat

from . import shifts
from .reuse import ReusedMemory, padded
from .sequence import MaskedBatchNorm
from .shifts import PlacedShifts, sum_of_shifts


def is_exporting() -> bool:
    """Whether an ONNX file is being written, by either exporter.

    Both trace, and whether anything is traced is known at once;
    ``torch.onnx.is_in_onnx_export`` by itself takes as long as a small layer.
    """
    is_traced = torch.jit.is_tracing() or compat.is_compiling()
    return is_traced and torch.onnx.is_in_onnx_export()


def _in_memory(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, T, H, W, C), contiguous."""
    return x.permute(0, 2, 3, 4, 1).contiguous()


def _as_volume(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B, C, T, H, W), a view."""
    return x.permute(0, 4, 1, 2, 3)


def _frames(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B·T, C, H, W)."""
    x = x.contiguous(memory_format=torch.channels_last_3d)
    return x.transpose(1, 2).flatten(0, 1)


def _from_frames(x: Tensor, clips: int) -> Tensor:
    """(B·T, C, H, W) → (B, C, T, H, W)."""
    return x.view(clips, x.shape[0] // clips, *x.shape[1:]).transpose(1, 2)


def _rows(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B·T·H·W, C)."""
    return _in_memory(x).flatten(0, 3)


def _from_rows(rows: Tensor, x: Tensor) -> Tensor:
    """(B·T·H·W, C') → (B, C', T, H, W), of the size of x."""
    return _as_volume(rows.view(x.shape[0], *x.shape[2:], rows.shape[1]))


def _columns(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, C, T, H·W)."""
    # By way of (B, T, H·W, C), there and back: else the stride of a single clip may be
    # any, and kernels do not know that its channels lie last in memory.
    return _in_memory(x).flatten(2, 3).permute(0, 3, 1, 2)


def _from_columns(x: Tensor, size: Sequence[int]) -> Tensor:
    """(B, C, T, H·W) → (B, C, T, H, W)."""
    x = x.permute(0, 2, 3, 1)
    return _as_volume(x.view(*x.shape[:2], *size, x.shape[3]))


class _OnViews:
    """What both kinds of convolution have.

    Attributes:
        is_foreign: Of settings that none of mmsign's networks has, so PyTorch's.
        is_thin_in_time, is_thin_in_space: Whether the kernel looks at one position.
        cast_weight: See ``weights_cast``.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # Known once, as small layers take no longer than finding it out.
        self.is_foreign = (
            max(self.dilation) > 1
            or self.groups > 1
            or self.padding_mode != 'zeros'
            or isinstance(self.padding, str)
        )
        self.is_thin_in_time = _is_thin(self, slice(0, 1))
        self.is_thin_in_space = _is_thin(self, slice(1, 3))

    cast_weight: Tensor | None = None


class Conv3d(_OnViews, nn.Conv3d):
    """``nn.Conv3d`` as above."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W')."""
        if self.is_foreign or is_exporting():
            return super().forward(x)
        if self.is_thin_in_time and self.is_thin_in_space:
            rows = F.linear(_rows(x), _weight(self).flatten(1), self.bias)
            return _from_rows(rows, x)
        functions = compat.convolution, sum_of_shifts
        return _on_views(self, x, functions, self.stride, self.padding)


def convolve(x: Tensor, weight: Tensor, padding: Sequence[int]) -> Tensor:
    """A convolution by a weight that is no layer's own, of k×h×w.

    Args:
        x: (B, C, T, H, W).
        weight: (C', C, k, h, w).
        padding: Of every axis.

    Returns:
        (B, C', T', H', W').
    """
    if is_exporting():
        return F.conv3d(x, weight, padding=tuple(padding))
    return _shifted(sum_of_shifts, x, weight, (1, 1, 1), padding)


class ConvTranspose3d(_OnViews, nn.ConvTranspose3d):
    """``nn.ConvTranspose3d`` as above."""

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W'), of ``output_size`` in the end."""
        if self.is_foreign or is_exporting():
            return super().forward(x, output_size)
        sizes = self.stride, self.padding, self.kernel_size
        more = self._output_padding(x, output_size, *sizes, 3, self.dilation)
        settings = _weight(self), self.bias, self.stride, self.padding, more
        if compat.has_fast_transposed_3d(x, *settings):
            return F.conv_transpose3d(x, *settings)
        functions = compat.transposed_convolution, PlacedShifts.apply
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
    weight = _weight(conv)
    if conv.is_thin_in_time:
        if not isinstance(conv, nn.ConvTranspose3d):
            x, weight = _on_all_channels(x, weight)
        weight, settings = _ready(weight.flatten(1, 2)), [s[1:] for s in settings]
        return _from_frames(thin(_frames(x), weight, conv.bias, *settings), x.shape[0])
    if conv.is_thin_in_space:
        weight, settings = _ready(weight.flatten(3)), [s[:2] for s in settings]
        y = thin(_columns(x), weight, conv.bias, *settings)
        return _from_columns(y, x.shape[3:])
    y = _shifted(full, x, weight, *settings)
    return y if conv.bias is None else y + conv.bias.view(-1, 1, 1, 1)


class BatchNorm3d(nn.BatchNorm3d):
    """``nn.BatchNorm3d`` as above, with a fixed momentum; ``count_batches`` counts."""

    def forward(self, x: Tensor, relu: bool = False) -> Tensor:
        """(B, C, T, H, W), the same; with ``relu`` that of the result."""
        if is_exporting():
            y = super().forward(x)
            return y.relu() if relu else y
        averages = self.running_mean, self.running_var
        return _normalised(self, x, averages, (self.weight, self.bias), relu)


def _normalised(norm: BatchNorm3d, x: Tensor, averages, affine, relu: bool) -> Tensor:
    training = norm.training or averages[0] is None
    if training and x.numel() == x.shape[1]:
        raise ValueError('batch norm in training needs more than one value per channel')
    is_whole = averages[0] is not None and affine[0] is not None
    if is_whole and (kernels := shifts.kernels_for(x)):
        if training:
            settings = norm.momentum, norm.eps, relu
            y = kernels.batch_norm(_rows(x), *affine, *averages, *settings)
            return _from_rows(y, x)
        if not _wants_gradients(x, *affine):
            y = kernels.fixed_norm(_rows(x), *affine, *averages, norm.eps, relu)
            return _from_rows(y, x)
    # What F.batch_norm calls for 16 bit, without its search for a library.
    settings = training, norm.momentum, norm.eps
    y, *_ = torch.native_batch_norm(_frames(x), *affine, *averages, *settings)
    return _from_frames(y.relu() if relu else y, x.shape[0])


def _wants_gradients(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def norm_and_relu(norm: nn.Module, relu: nn.Module, x: Tensor) -> Tensor:
    """``relu(norm(x))``; the norm may be another's, as ``sync_bn`` replaces it."""
    return norm(x, relu=True) if isinstance(norm, BatchNorm3d) else relu(norm(x))


class Units(nn.Sequential):
    """Layers one after the other, a ReLU behind every batch norm: ``norm_and_relu``."""

    def forward(self, x: Tensor) -> Tensor:
        parts = iter(self)
        for part in parts:
            is_norm = isinstance(part, BatchNorm3d)
            x = norm_and_relu(part, next(parts), x) if is_norm else part(x)
        return x


def count_batches(module: nn.Module) -> None:
    """Add 1 to ``num_batches_tracked`` of mmsign's batch norms, all in one launch."""
    counters = [
        part.num_batches_tracked
        for part in _modules(module)
        if isinstance(part, (BatchNorm3d, MaskedBatchNorm)) and part.training
    ]
    if counters:
        torch._foreach_add_(counters, 1)


def pointwise_units(
    x: Tensor, convolutions: Sequence[Conv3d], norms: Sequence[BatchNorm3d]
) -> tuple[Tensor, ...]:
    """1×1×1 convolution, batch norm and ReLU in training, by several layers at once.

    One matrix product reads the input, which all have in common.

    Args:
        x: (B, C, T, H, W).
        convolutions: Without bias.
        norms: One of each, in training mode, of one momentum and ε.

    Returns:
        (B, C', T, H, W) of each.
    """
    sizes = [conv.out_channels for conv in convolutions]
    weight = torch.cat([_weight(conv).flatten(1) for conv in convolutions])
    kept = [n.running_mean for n in norms] + [n.running_var for n in norms]
    vectors = *(n.weight for n in norms), *(n.bias for n in norms), *kept
    *affine, averages = _SideBySide.apply(*vectors)
    y = _from_rows(F.linear(_rows(x), weight), x)
    y = _normalised(norms[0], y, averages.unbind(), affine, relu=True)
    torch._foreach_copy_(kept, averages.flatten().split(sizes * 2))
    # Parts of their own: what follows would copy all but the first.
    parts = torch.split_with_sizes_copy(y.permute(0, 2, 3, 4, 1), sizes, -1)
    return tuple(map(_as_volume, parts))


class _SideBySide(torch.autograd.Function):
    """Of n batch norms weights, biases, means and variances, each (C_i,), in one launch
    → weight and bias (C,) of all, and (2, C) averages, which have no gradient."""

    @staticmethod
    def forward(ctx, *vectors):
        ctx.sizes = [vector.numel() for vector in vectors[: len(vectors) // 4]]
        whole = torch.cat(vectors).view(4, -1)
        averages = whole[2:]
        ctx.mark_non_differentiable(averages)
        ctx.set_materialize_grads(False)
        return whole[0], whole[1], averages

    @staticmethod
    @once_differentiable
    def backward(ctx, of_weight, of_bias, _):
        found = *of_weight.split(ctx.sizes), *of_bias.split(ctx.sizes)
        return *found, *[None] * len(found)


class MaxPool3d(nn.MaxPool3d):
    """``nn.MaxPool3d`` as above; where values are equal, another one may be taken.

    In the dtype that comes: autocast on a CPU would make it float32. Kernel, stride and
    padding are named for every axis.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C, T', H', W')."""
        if is_exporting():
            return super().forward(x)
        sizes = self.kernel_size, self.stride, self.padding
        # Their places within a window are 8-bit integers.
        if math.prod(self.kernel_size) < 128 and (kernels := shifts.kernels_for(x)):
            return _as_volume(kernels.max_pool(_in_memory(x), *sizes))
        in_space = [size[1:] for size in sizes]
        in_time = [(size[0], other) for size, other in zip(sizes, (1, 1, 0))]
        if in_time[0] == in_time[1] == (1, 1):
            in_time = None
        with compat.without_autocast(x.device.type):
            return _MaxPool.apply(x, in_space, in_time)


class _MaxPool(torch.autograd.Function):
    """Max pooling in space and then in time, each by kernel, stride and padding.

    Where the largest values were is found again for the gradient; PyTorch keeps these
    places, in 64 bits each.
    """

    @staticmethod
    def forward(ctx, x, in_space, in_time):
        ctx.save_for_backward(x)
        ctx.settings = in_space, in_time
        y = _from_frames(F.max_pool2d(_frames(x), *in_space), x.shape[0])
        if in_time is None:
            return y
        return _from_columns(F.max_pool2d(_columns(y), *in_time), y.shape[3:])

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        in_space, in_time = ctx.settings
        frames = _frames(x)
        y, places = F.max_pool2d(frames, *in_space, return_indices=True)
        if in_time is not None:
            y = _from_frames(y, x.shape[0])
            columns, size = _columns(y), y.shape[3:]
            _, in_columns = F.max_pool2d(columns, *in_time, return_indices=True)
            gradient = _columns(gradient)
            gradient = _to_places(gradient, columns, in_columns, in_time)
            gradient = _from_columns(gradient, size)
        gradient = _to_places(_frames(gradient), frames, places, in_space)
        return _from_frames(gradient, x.shape[0]), None, None


def _to_places(gradient: Tensor, x: Tensor, places: Tensor, settings) -> Tensor:
    """Of the input x of a two-dimensional pool, by that of its output."""
    backward = torch.ops.aten.max_pool2d_with_indices_backward
    return backward(gradient, x, *settings, (1, 1), False, places)


class _CastTogether(torch.autograd.Function):
    """Weights in another dtype, in the order of memory that they have."""

    @staticmethod
    def forward(ctx, memory, dtype, *weights):
        ctx.memory = memory
        ctx.weights = [(w.dtype, w.shape, w.stride()) for w in weights]
        ctx.set_materialize_grads(False)
        likes = [(dtype, *like[1:]) for like in ctx.weights]
        return tuple(_cast(memory, likes, weights))

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        given = [g for g in gradients if g is not None]
        likes = [w for w, g in zip(ctx.weights, gradients) if g is not None]
        cast = iter(_cast(ctx.memory, likes, given))
        return None, None, *(None if g is None else next(cast) for g in gradients)


def _cast(
    memory: ReusedMemory, likes: Sequence[tuple], tensors: Sequence[Tensor]
) -> list[Tensor]:
    """Copies in one memory, by dtype (one for all), shape and strides of each."""
    numels = [tensor.numel() for tensor in tensors]
    dtype, size = likes[0][0], sum(numels)
    whole = memory.flat(f'{dtype} {size}', size, dtype, tensors[0].device)
    parts = zip(whole.split(numels), likes)
    cast = [part.as_strided(shape, stride) for part, (_, shape, stride) in parts]
    torch._foreach_copy_(cast, tensors)
    return cast


@contextmanager
def weights_cast(memory: ReusedMemory, *modules: nn.Module) -> Iterator[None]:
    """Within it the weights of these networks' layers are in autocast's dtype.

    All are cast by one launch where each layer would cast its own, and so are their
    gradients, into the memory that is given. Without autocast nothing is changed.
    """
    first = next((p for module in modules for p in module.parameters()), None)
    dtype = None if first is None else compat.autocast_dtype(first.device.type)
    layers = []
    # Networks prepared for inference are not looked through in every call.
    if dtype is not None and dtype != first.dtype:
        layers = [part for module in modules for part in _own_convolutions(module)]
        layers = [part for part in layers if part.weight.dtype != dtype]
    for trained in (True, False):
        group = [part for part in layers if part.weight.requires_grad == trained]
        if group:
            cast = _CastTogether.apply(memory, dtype, *(p.weight for p in group))
            for part, weight in zip(group, cast):
                part.cast_weight = weight
    try:
        yield
    finally:
        for part in layers:
            part.__dict__.pop('cast_weight', None)


def _weight(conv: Conv3d | ConvTranspose3d) -> Tensor:
    return conv.weight if conv.cast_weight is None else conv.cast_weight


def arrange_weights(module: nn.Module) -> None:
    """Keep the weights of a network's layers as they are used, so that none is copied.

    Shapes and values stay, their order in memory changes.
    """
    for part in _own_convolutions(module):
        # (k, M, h, w, N); for a kernel in time alone (M, k, h, w, N).
        in_time = part.is_thin_in_space and not part.is_thin_in_time
        order = (0, 2, 3, 4, 1) if in_time else (2, 0, 3, 4, 1)
        back = [order.index(axis) for axis in range(5)]
        part.weight.data = part.weight.data.permute(order).contiguous().permute(back)


def _own_convolutions(module: nn.Module) -> list[Conv3d | ConvTranspose3d]:
    """Those in a network that are computed as above."""
    parts = _modules(module)
    parts = (part for part in parts if isinstance(part, (Conv3d, ConvTranspose3d)))
    return [part for part in parts if not part.is_foreign]


def _modules(module: nn.Module) -> Iterable[nn.Module]:
    """``module.modules()`` without their names, sooner: for use in every step."""
    found, left = {}, [module]
    while left:
        part = left.pop()
        if part is not None and part not in found:
            found[part] = None
            left += reversed(part._modules.values())
    return found


def _is_thin(conv: nn.Module, axes: slice) -> bool:
    """Whether the kernel looks at one position along these axes."""
    sizes = {*conv.kernel_size[axes], *conv.stride[axes]}
    return sizes == {1} and {*conv.padding[axes]} == {0}


def _on_all_channels(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """An input that is the first channels of a wider memory, with all of them.

    Their weights are 0. ``ReusedMemory`` makes such inputs.

    Args:
        x: (B, C, T, H, W).
        weight: (C', C, 1, h, w).
    """
    clips, channels, *size = x.shape
    wide = padded(channels)
    if wide == channels or x.stride(4) != wide or x.requires_grad:
        return x, weight
    end = x.storage_offset() + clips * math.prod(size) * wide
    if end * x.element_size() > x.untyped_storage().nbytes():
        return x, weight
    whole = x.as_strided((clips, wide, *size), x.stride())
    if not whole.permute(0, 2, 3, 4, 1).is_contiguous():
        return x, weight
    return whole, F.pad(weight, (0, 0) * 3 + (0, wide - channels))


def _ready(weight: Tensor) -> Tensor:
    """A 2D weight in autocast's dtype, channels last: one copy where two would be."""
    dtype = compat.autocast_dtype(weight.device.type) or weight.dtype
    return weight.to(dtype=dtype, memory_format=torch.channels_last)


def _shifted(function: Callable, x: Tensor, weight: Tensor, *settings) -> Tensor:
    """A function of ``shifts``, in autocast's dtype.

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
