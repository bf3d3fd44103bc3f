"""Layers on sequences of steps: lengths, positions, linear layers of few rows, batch
norm of the valid ones.

Symbols: B clips, T frames of the padded batch, T' steps of an output, C channels.
"""

import math
from collections.abc import Sequence

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _NormBase


def upload(values, device: torch.device) -> Tensor:
    """A small tensor, array or list on a device, copied without waiting for it."""
    tensor = torch.as_tensor(values)
    if device.type == 'cuda':
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Boolean (B, size) mask, true where a step index is below its length."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


class ClipLengths:
    """How many frames of each clip are valid, and so how many steps of any output.

    Of T' steps that a network makes of T frames, ⌊n·T'/T⌋ belong to a clip of n.

    Args:
        valid: n of each clip, in frames.
        frames: T.

    Examples:
        >>> ClipLengths([16, 10], 16).steps(8)
        [8, 5]
    """

    def __init__(self, valid: Sequence[int], frames: int) -> None:
        self.valid = list(valid)
        self.frames = frames
        self._tensors: dict[tuple[int, torch.device], Tensor] = {}

    def steps(self, count: int) -> list[int]:
        """Valid ones of ``count`` = T' steps, per clip."""
        return [valid * count // self.frames for valid in self.valid]

    def with_edges(self, frames: int) -> 'ClipLengths':
        """Of the same clips with so many frames more on either side."""
        if not frames:
            return self
        valid = [valid + 2 * frames for valid in self.valid]
        return ClipLengths(valid, self.frames + 2 * frames)

    def of(self, output: Tensor) -> Tensor:
        """(B,) valid steps of an output (B, T', …), on its device; copied once."""
        key = output.shape[1], output.device
        if key not in self._tensors:
            self._tensors[key] = upload(self.steps(key[0]), key[1])
        return self._tensors[key]


def sinusoid(length: int, channels: int, device=None) -> Tensor:
    """(length, channels) table: sine on even channels, cosine on odd ones."""
    step = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    even = torch.arange(0, channels, 2, device=device, dtype=torch.float32)
    angle = step * torch.exp(even * (-math.log(10000.0) / channels))
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :channels]


class Dropout(nn.Dropout):
    """``nn.Dropout`` by one call on any device."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        return torch.native_dropout(x, self.p, True)[0]


class PositionEncoding(nn.Module):
    """Add the sinusoid to (B, …, T, C) features; any T, nothing in the checkpoint."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        # No buffer: running means of a network's buffers would meet one that grows.
        self.table = torch.zeros(0, channels)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-2]
        if self.table.shape[0] < length or self.table.device != x.device:
            # Grown to the longest clip seen, so that it is computed rarely.
            self.table = sinusoid(max(length, 512), self.channels, x.device)
        return x + self.table[:length].to(x.dtype)


def hold_edges(x: Tensor, frames: int) -> Tensor:
    """(B, C, T, H, W) with its first and last frame repeated so many times more.

    The channels lie last in memory, as everywhere.
    """
    if not frames:
        return x
    x = x.permute(0, 2, 3, 4, 1)
    first, last = (end.expand(-1, frames, -1, -1, -1) for end in (x[:, :1], x[:, -1:]))
    return torch.cat([first, x, last], dim=1).permute(0, 4, 1, 2, 3)


def without_ends(x: Tensor, count: int) -> Tensor:
    """(B, T, C) without so many steps at either end."""
    # Not by the length: a traced graph would keep it.
    return x[:, count : -count or None]


def resample_time(x: Tensor, stride: int, output_stride: int) -> Tensor:
    """Features at one time stride → the same features at another.

    Steps are averaged in groups, or interpolated linearly between their centres.

    Args:
        x: (B, T, C).
        stride: Input frames per step.
        output_stride: Input frames per step of the result; a multiple or a
            divisor of ``stride``.

    Returns:
        (B, ⌈T·stride/output_stride⌉, C).
    """
    if output_stride == stride:
        return x
    x = x.transpose(1, 2)
    if output_stride > stride:
        x = F.avg_pool1d(x, output_stride // stride, ceil_mode=True)
    else:
        steps = x.shape[2] * (stride // output_stride)
        x = F.interpolate(x, steps, mode='linear')
    return x.transpose(1, 2)


def windows(x: Tensor, k: int) -> Tensor:
    """(…, T, C) → (…, T, C·k): the k steps around each, zeros beyond the ends.

    A convolution over time is a linear layer on these, by its weight (C', C, k) as
    (C', C·k).
    """
    if k == 1:
        return x
    padded = F.pad(x, (0, 0, (k - 1) // 2, k // 2))
    return padded.unfold(-2, k, 1).contiguous().flatten(-2)


def convolved(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """``conv``, padded to the same length, of (B, T, C) → (B, T, C').

    For some steps and thousands of channels oneDNN takes several times as long. ONNX
    files get the convolution.
    """
    if torch.onnx.is_in_onnx_export():
        return conv(x.transpose(1, 2)).transpose(1, 2)
    return F.linear(windows(x, *conv.kernel_size), conv.weight.flatten(1), conv.bias)


class LinearOfEach(torch.autograd.Function):
    """G linear layers to C' channels each: bias (G, C'), then G inputs (N, C_i), then
    G weights, C' first and C_i in all → (G, N, C').

    The weights stay where they are: a stack of them would be written anew in every
    step, into more memory than an allocator keeps.
    """

    @staticmethod
    def forward(ctx, bias, *inputs_and_weights):
        ctx.save_for_backward(*inputs_and_weights)
        inputs, weights = _halves(inputs_and_weights)
        y = bias.new_empty(len(bias), len(inputs[0]), bias.shape[1])
        for b, x, weight, out in zip(bias, inputs, weights, y):
            torch.addmm(b, x, weight.flatten(1).t(), out=out)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        _, *needed = ctx.needs_input_grad
        of_each = list(zip(gradient, *_halves(ctx.saved_tensors), *_halves(needed)))
        return (
            gradient.sum(1),
            *(y @ w.flatten(1) if wanted else None for y, _, w, wanted, _ in of_each),
            # This way round it lies as the weight does.
            *(
                (y.t() @ x).view_as(w) if wanted else None
                for y, x, w, _, wanted in of_each
            ),
        )


def _halves(both: Sequence) -> tuple[Sequence, Sequence]:
    return both[: len(both) // 2], both[len(both) // 2 :]


# Not a _BatchNorm, which MMEngine's sync_bn would replace by one that knows no mask.
class MaskedBatchNorm(_NormBase):
    """Batch norm with statistics of valid steps only: docs/method.md#gloss-heads.

    In training the sums run over the valid steps of all processes, so padding
    and the way clips are spread over devices change nothing. In evaluation it
    is plain batch norm with the running averages.
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: (B, T, C) features.
            mask: (B, T), true or 1 on valid steps.

        Returns:
            (B, T, C); values on padded steps are finite but meaningless.
        """
        if not self.training:
            settings = self.running_mean, self.running_var, self.weight, self.bias
            y = F.batch_norm(x.flatten(0, 1), *settings, eps=self.eps)
            return y.view_as(x)
        affine = self.weight[None], self.bias[None]
        return masked_batch_norms([self], x[None], mask, *affine)[0]


def masked_batch_norms(
    norms: Sequence[MaskedBatchNorm],
    x: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor,
) -> Tensor:
    """Several in training, each on features of its own.

    Args:
        norms: G of one size, ε and momentum.
        x: (G, B, T, C) features.
        mask: (B, T), true or 1 on valid steps.
        weight, bias: (G, C), the norms'.
    """
    valid = mask.flatten()[:, None].float()
    y, mean, squares, count = _Normalised.apply(
        x.flatten(1, 2).float(), valid, weight[:, None], bias[:, None], norms[0].eps
    )
    with torch.no_grad():
        # The unbiased estimate.
        variance = squares / (count - 1).clamp_(min=1)
        found = *mean[:, 0].unbind(), *variance[:, 0].unbind()
        averages = [n.running_mean for n in norms] + [n.running_var for n in norms]
        torch._foreach_lerp_(averages, found, norms[0].momentum)
    return y.to(x.dtype).view_as(x)


class _Normalised(torch.autograd.Function):
    """x (G, N, C) of N = B·T' steps, valid ones (N, 1) as 0 or 1 → y and statistics.

    With n valid steps in all processes, m = Σ v·x / n and s² = Σ v·(x − m)² / n it is
    y = (x − m)/√(s² + ε)·w + b. The squares are centred, as E[x²] − E[x]² would lose
    digits where the mean is much larger than the spread.
    """

    @staticmethod
    def forward(ctx, x, valid, weight, bias, eps):
        count = _over_processes(valid.sum())
        share = valid / count.clamp(min=1)
        mean = _over_processes((x * share).sum(1, keepdim=True))
        x = x - mean
        variance = _over_processes((x * x).mul_(share).sum(1, keepdim=True))
        inverse = (variance + eps).rsqrt_()
        scale = inverse * weight
        ctx.save_for_backward(x, share, inverse, scale)
        statistics = mean, variance * count, count
        ctx.mark_non_differentiable(*statistics)
        ctx.set_materialize_grads(False)
        return torch.addcmul(bias, x, scale), *statistics

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient, *_):
        x, share, inverse, scale = ctx.saved_tensors
        of_bias = gradient.sum(1, keepdim=True)
        of_weight = (gradient * x).sum(1, keepdim=True).mul_(inverse)
        # Σ g, and Σ g·(x − m) / (s² + ε), over the steps of all processes.
        sums = torch.stack([of_bias, of_weight * inverse])
        both = _over_processes(sums)
        through = torch.addcmul(both[0], x, both[1])
        of_x = torch.addcmul(gradient, share, through, value=-1).mul_(scale)
        return of_x, None, of_weight, of_bias, None


def _over_processes(x: Tensor) -> Tensor:
    """The sum over all processes; may be ``x`` itself, changed."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(x)
    return x
