"""Layers on sequences of steps: lengths, positions, batch norm of the valid ones.

Symbols: B clips, T frames of the padded batch, T' steps of an output, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError


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

    def __len__(self) -> int:
        return len(self.valid)

    def steps(self, count: int) -> list[int]:
        """Valid ones of ``count`` = T' steps, per clip."""
        return [valid * count // self.frames for valid in self.valid]

    def of(self, output: Tensor) -> Tensor:
        """(B,) valid steps of an output (B, T', …), on its device; copied once."""
        key = output.shape[1], output.device
        if key not in self._tensors:
            self._tensors[key] = torch.tensor(self.steps(key[0]), device=key[1])
        return self._tensors[key]


def sinusoid(length: int, channels: int, device=None) -> Tensor:
    """(length, channels) table: sine on even channels, cosine on odd ones."""
    step = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rate = torch.exp(
        torch.arange(0, channels, 2, device=device, dtype=torch.float32)
        * (-math.log(10000.0) / channels)
    )
    table = torch.zeros(length, channels, device=device)
    table[:, 0::2] = torch.sin(step * rate)
    table[:, 1::2] = torch.cos(step * rate)[:, : channels // 2]
    return table


class PositionEncoding(nn.Module):
    """Add the sinusoid to (B, T, C) features; any T, nothing in the checkpoint."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer('table', torch.zeros(0, channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        if self.table.shape[0] < length:
            # Grown to the longest clip seen, so that it is computed rarely.
            self.table = sinusoid(max(length, 512), self.channels, x.device)
        return x + self.table[:length].to(x.dtype)


class TimeResample(nn.Module):
    """Features at one time stride → the same features at another.

    Steps are averaged in groups, or interpolated linearly between their centres.

    Args:
        stride: Input frames per step of the features.
        output_stride: Input frames per step of the result; a multiple or a
            divisor of ``stride``.

    Raises:
        ValueError: If it is neither.
    """

    def __init__(self, stride: int, output_stride: int) -> None:
        super().__init__()
        if output_stride < 1 or (output_stride % stride and stride % output_stride):
            raise ConfigError(
                f'output_stride={output_stride} is neither a multiple nor a divisor '
                f'of {stride}, the frames per step that the backbone puts out'
            )
        self.stride = stride
        self.output_stride = output_stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) → (B, ⌈T·stride/output_stride⌉, C)."""
        if self.output_stride == self.stride:
            return x
        x = x.transpose(1, 2)
        if self.output_stride > self.stride:
            group = self.output_stride // self.stride
            x = F.avg_pool1d(x, group, ceil_mode=True)
        else:
            steps = x.shape[2] * (self.stride // self.output_stride)
            x = F.interpolate(x, steps, mode='linear')
        return x.transpose(1, 2)

    def extra_repr(self) -> str:
        return f'stride={self.stride}, output_stride={self.output_stride}'


class _SumOverProcesses(torch.autograd.Function):
    """All-reduce whose gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


def _gather_rows(row: Tensor) -> Tensor:
    """(N,) of this process → (processes, N); differentiable, on any device."""
    if not (dist.is_available() and dist.is_initialized()):
        return row[None]
    rows = torch.zeros(dist.get_world_size(), *row.shape, device=row.device)
    rows = rows.index_put((torch.tensor(dist.get_rank(), device=row.device),), row)
    return _SumOverProcesses.apply(rows)


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm with statistics of valid steps only: docs/method.md#gloss-heads.

    In training the sums run over the valid steps of all processes, so padding
    and the way clips are spread over devices change nothing. In evaluation it
    is plain batch norm with the running averages.
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: (B, T, C) features.
            mask: (B, T) bool, true on valid steps.

        Returns:
            (B, T, C); values on padded steps are finite but meaningless.
        """
        if not self.training:
            out = F.batch_norm(
                x.flatten(0, 1),
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                eps=self.eps,
            )
            return out.view_as(x)
        dtype = x.dtype
        x = x.float()
        mean, var, count = self._statistics(x, mask)
        if self.track_running_stats:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                unbiased = var * (count / (count - 1).clamp(min=1))
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return ((x - mean) * scale + self.bias).to(dtype)

    def _statistics(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Each process contributes count, mean and centred sum of squares, which
        # are combined as in Chan et al. (1979): E[x²] − E[x]² would lose digits
        # where the mean is much larger than the spread.
        weight = mask[..., None].to(x.dtype)
        count = weight.sum()
        mean = (x * weight).sum((0, 1)) / count.clamp(min=1)
        squares = ((x - mean) * weight).square().sum((0, 1))
        rows = _gather_rows(torch.cat([count[None], mean, squares]))
        counts, means, squares = rows.split([1, *[self.num_features] * 2], dim=1)
        total = counts.sum().clamp(min=1)
        mean = (counts * means).sum(0) / total
        squares = squares.sum(0) + (counts * (means - mean).square()).sum(0)
        return mean, squares / total, total
