"""Positions of time steps, and changes of their number."""

from __future__ import annotations

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError


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
