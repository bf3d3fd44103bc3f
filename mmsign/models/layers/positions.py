"""Sinusoidal position encoding (Vaswani et al. 2017, section 3.5)."""

from __future__ import annotations

import math

import torch
import torch.nn as nn
from torch import Tensor


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
