"""3D convolutions whose kernel is thin: 1×1×1, or k×1×1 along time.

Symbols: B clips, C channels, T frames, H×W pixels.
"""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class ThinConv3d(nn.Conv3d):
    """``nn.Conv3d``, faster on a CPU where its kernel is thin.

    PyTorch computes small 3D kernels on a CPU without oneDNN, slower than the same
    sums as a matrix product (1×1×1) or a 2D convolution over time and flattened space
    (k×1×1); ``tools/benchmark/convolutions.py`` compares them. Parameters, results (up
    to rounding) and memory layout are those of ``nn.Conv3d``; so is what is exported
    to ONNX.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W')."""
        if not self._is_thin or x.device.type != 'cpu' or _exporting():
            return super().forward(x)
        return self._pointwise(x) if self.kernel_size[0] == 1 else self._over_time(x)

    @property
    def _is_thin(self) -> bool:
        # A stride in time, as in S3D's stem, is where oneDNN is used and quicker.
        ones = (1, 1, 1)
        return (
            self.kernel_size[1:] == (1, 1)
            and self.stride == ones
            and self.dilation == ones
            and self.groups == 1
            and self.padding_mode == 'zeros'
            and isinstance(self.padding, tuple)
            and self.padding[1:] == (0, 0)
            and (self.kernel_size[0] > 1 or self.padding[0] == 0)
        )

    def _pointwise(self, x: Tensor) -> Tensor:
        weight = self.weight.flatten(1)
        if _channels_last(x):
            return F.linear(x.permute(0, 2, 3, 4, 1), weight, self.bias).permute(
                0, 4, 1, 2, 3
            )
        y = weight @ x.flatten(2)
        if self.bias is not None:
            y = y + self.bias[:, None]
        return y.unflatten(2, x.shape[2:])

    def _over_time(self, x: Tensor) -> Tensor:
        y = F.conv2d(
            x.flatten(3),
            self.weight.flatten(3),
            self.bias,
            padding=(self.padding[0], 0),
        )
        return y.unflatten(3, x.shape[3:])


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last_3d)


def _exporting() -> bool:
    return torch.onnx.is_in_onnx_export()
