"""Change the number of steps per frame of pooled features."""

from __future__ import annotations

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError


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
