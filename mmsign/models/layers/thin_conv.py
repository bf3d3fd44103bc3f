"""3D convolutions whose kernel is thin: 1×1×1, k×1×1 in time, or 1×k×k in space.

Symbols: B clips, C channels, T frames, H×W pixels.
"""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign import compat


class ThinConv3d(nn.Conv3d):
    """``nn.Conv3d``, faster on a CPU where its kernel is thin.

    PyTorch computes small 3D kernels on a CPU without oneDNN, slower than the same
    sums as a matrix product (1×1×1) or a 2D convolution over time and flattened space
    (k×1×1). Where the channels lie last it does so to all kernels if one clip is small,
    and returns it with the channels first, which slows what follows; a 1×k×k kernel is
    then a 2D convolution of every frame. ``tools/benchmark/convolutions.py`` compares
    the former, ``inference.py`` the whole network. Parameters and results (up to
    rounding) are those of ``nn.Conv3d``, and the memory layout is the input's; what is
    exported to ONNX is ``nn.Conv3d``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → (B, C', T', H', W')."""
        if x.device.type != 'cpu' or not self._is_plain or _exporting():
            return super().forward(x)
        if self._looks_along('time'):
            # A stride in time, as in S3D's stem, is where oneDNN is used and quicker.
            if self.stride != (1, 1, 1):
                return super().forward(x)
            return self._pointwise(x) if self.kernel_size[0] == 1 else self._in_time(x)
        if self._looks_along('space') and len(x) == 1 and _channels_last(x):
            return self._in_space(x)
        return super().forward(x)

    @property
    def _is_plain(self) -> bool:
        return (
            self.dilation == (1, 1, 1)
            and self.groups == 1
            and self.padding_mode == 'zeros'
            and isinstance(self.padding, tuple)
        )

    def _looks_along(self, axis: str) -> bool:
        others = slice(1, 3) if axis == 'time' else slice(0, 1)
        return (
            {1} == {*self.kernel_size[others], *self.stride[others]}
            and {0} == {*self.padding[others]}
            and (max(self.kernel_size) > 1 or max(self.padding) == 0)
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

    def _in_time(self, x: Tensor) -> Tensor:
        weight, padding = self.weight.flatten(3), (self.padding[0], 0)
        if not _channels_last(x):
            y = compat.convolution(x.flatten(3), weight, self.bias, padding=padding)
            return y.unflatten(3, x.shape[3:])
        # Views of one clip with the channels in front would get a stride for B that
        # PyTorch does not take for the channels-last layout.
        flat = x.permute(0, 2, 3, 4, 1).flatten(2, 3).permute(0, 3, 1, 2)
        y = compat.convolution(flat, weight, self.bias, padding=padding)
        y = y.permute(0, 2, 3, 1)
        return y.unflatten(2, x.shape[3:]).permute(0, 4, 1, 2, 3)

    def _in_space(self, x: Tensor) -> Tensor:
        frames = x.permute(0, 2, 3, 4, 1).flatten(0, 1).permute(0, 3, 1, 2)
        y = compat.convolution(
            frames, self.weight[:, :, 0], self.bias, self.stride[1:], self.padding[1:]
        )
        return y.permute(0, 2, 3, 1)[None].permute(0, 4, 1, 2, 3)


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last_3d)


def _exporting() -> bool:
    return torch.onnx.is_in_onnx_export()
