"""Sign pyramid: top-down auxiliary features of one stream (paper, section 3.2)."""

from collections.abc import Sequence

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..layers.shifts import at_least_float32
from ..layers.volume import BatchNorm3d, ConvTranspose3d, norm_and_relu
from ..stages import StageInfo


class _Upsample(nn.Module):
    """Transposed 1×3×3 then 3×1×1 convolution, each with batch norm and ReLU."""

    def __init__(self, upper: StageInfo, lower: StageInfo, norm: dict) -> None:
        super().__init__()
        space = tuple(round(b / a) for a, b in zip(upper.size, lower.size, strict=True))
        time = round(upper.time_stride / lower.time_stride)
        source, target = upper.channels, lower.channels
        in_space = dict(stride=(1, *space), padding=(0, 1, 1), bias=False)
        in_time = dict(stride=(time, 1, 1), padding=(1, 0, 0), bias=False)
        self.conv_s = ConvTranspose3d(source, target, (1, 3, 3), **in_space)
        self.bn_s = BatchNorm3d(target, **norm)
        self.conv_t = ConvTranspose3d(target, target, (3, 1, 1), **in_time)
        self.bn_t = BatchNorm3d(target, **norm)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        """(B, C, T, H, W) → the shape of ``like``."""
        frames, height, width = like.shape[2:]
        x = self.conv_s(x, output_size=(x.shape[2], height, width))
        x = norm_and_relu(self.bn_s, self.relu, x)
        x = self.conv_t(x, output_size=(frames, height, width))
        return norm_and_relu(self.bn_t, self.relu, x)


@MODELS.register_module()
class SignPyramid(BaseModule):
    """Merge each level with the up-sampled one above it, top-down.

    Args:
        stages: What the stream's stages put out; supplied by the recognizer.
        levels: Number of levels, counted from the last stage down.
        norm_eps, norm_momentum: Of the batch norms, as in the backbone.

    Raises:
        ValueError: For more levels than stages, or neighbouring levels of
            equal spatial stride.
    """

    def __init__(
        self,
        stages: Sequence[StageInfo],
        levels: int = 3,
        norm_eps: float = 1e-3,
        norm_momentum: float = 1e-3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if not 2 <= levels <= len(stages):
            raise ConfigError(
                f'a pyramid of {levels} levels: expected 2 to {len(stages)}, the '
                "number of the stream's stages"
            )
        self.levels = levels
        norm = dict(eps=norm_eps, momentum=norm_momentum)
        used = list(stages)[-levels:]
        self.upsample = nn.ModuleList()
        for lower, upper in zip(used[-2::-1], used[:0:-1], strict=True):
            if any(a >= b for a, b in zip(upper.size, lower.size)):
                raise ConfigError(
                    'a pyramid needs levels whose size shrinks from one to the next; '
                    f'these have {lower.size} and {upper.size}'
                )
            self.upsample.append(_Upsample(upper, lower, norm))
        # Channels of the merged levels, lowest first; the top one is untouched.
        self.out_channels = tuple(info.channels for info in used[:-1])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Merge.

        Args:
            features: Outputs of the stages in order, (B, C_i, T_i, H_i, W_i).

        Returns:
            The merged levels below the top, lowest first, pooled over space:
            (B, T_i, C_i) each.
        """
        used = features[-self.levels :]
        merged = [used[-1]]
        for upsample, lower in zip(self.upsample, used[-2::-1], strict=True):
            merged.append(lower + upsample(merged[-1], like=lower))
        return [pool_space(x) for x in merged[:0:-1]]


def pool_space(x: Tensor) -> Tensor:
    """(B, C, T, H, W) → (B, T, C): mean over space, in float32 at least."""
    x = x.permute(0, 2, 3, 4, 1)
    # Files of networks (ONNX) know no functions of autograd.
    return _MeanOverSpace.apply(x) if x.requires_grad else _mean_over_space(x)


def _mean_over_space(x: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B, T, C)."""
    return x.mean((2, 3), dtype=at_least_float32(x.dtype))


class _MeanOverSpace(torch.autograd.Function):
    """The same; its gradient, alike at all pixels, is written down once, not for each,
    and in the dtype of x."""

    @staticmethod
    def forward(ctx, x):
        ctx.like = x.shape, x.dtype
        return _mean_over_space(x)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        shape, dtype = ctx.like
        share = (gradient / (shape[2] * shape[3])).to(dtype)
        return share[:, :, None, None].expand(shape)
