"""Max pooling in the dtype that comes."""

from __future__ import annotations

import torch
import torch.nn as nn
from torch import Tensor


class MaxPool3d(nn.MaxPool3d):
    """``nn.MaxPool3d`` that autocast leaves alone.

    On a CPU autocast computes max pooling in float32: it copies the input, keeps the
    copy for the backward pass, and hands a float32 output on. The greatest of some
    bfloat16 numbers is the same in either.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C, T', H', W'), of the same dtype."""
        if x.device.type != 'cpu':
            return super().forward(x)
        with torch.autocast('cpu', enabled=False):
            return super().forward(x)
