"""S3D (Xie et al. 2018, "Rethinking Spatiotemporal Feature Learning").

Symbols: B clips, C channels, T frames, H×W pixels. The layout follows the
Kinetics-400 weights published by Min & Corso, whose flat ``base.N`` list is
cut here into blocks, each beginning with its max pool:

    block  layers                         channels  stride (time, space)
    0      separable 7×7×7                64        2, 2
    1      pool, 1×1×1, separable 3×3×3   192       2, 4
    2      pool, 2 inception              480       2, 8
    3      pool, 5 inception              832       4, 16
    4      pool, 2 inception              1024      8, 32
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..layers.checkpointing import checkpointed
from ..layers.volume import BatchNorm3d, Conv3d, MaxPool3d, Units, pointwise_units
from ..weights import load_backbone

# Channels of the inception layers' branches: 1×1×1; two of reduce → 3×3×3;
# pool projection.
_INCEPTION = {
    2: [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
    3: [
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ],
    4: [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
}
# Kernel, stride and padding of the max pool that opens each block.
_POOLS = {
    1: ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    2: ((1, 3, 3), (1, 2, 2), (0, 1, 1)),
    3: ((3, 3, 3), (2, 2, 2), (1, 1, 1)),
    4: ((2, 2, 2), (2, 2, 2), (0, 0, 0)),
}
# First layer of each block in the flat list of the published weights.
_BLOCK_STARTS = (0, 1, 4, 7, 13)
_FLAT = re.compile(r'(?:module\.)?base\.(\d+)\.(.+)')
_BLOCK = re.compile(r'blocks\.(\d+)\.(\d+)\.(.+)')


def _layers(
    source: int, target: int, kernel: tuple, stride: int, norm: dict, suffix: str = ''
) -> dict[str, nn.Module]:
    """Convolution that strides along the axes it looks along, batch norm, ReLU."""
    strides = [stride if k > 1 else 1 for k in kernel]
    padding = [k // 2 for k in kernel]
    return {
        f'conv{suffix}': Conv3d(source, target, kernel, strides, padding, bias=False),
        f'bn{suffix}': BatchNorm3d(target, **norm),
        f'relu{suffix}': nn.ReLU(),
    }


def _unit(source: int, target: int, norm: dict) -> Units:
    """Pointwise convolution, batch norm, ReLU."""
    return Units(OrderedDict(_layers(source, target, (1, 1, 1), 1, norm)))


def _separable(source: int, target: int, kernel: int, stride: int, norm: dict) -> Units:
    """1×k×k then k×1×1 convolution, each with batch norm and ReLU."""
    in_space = _layers(source, target, (1, kernel, kernel), stride, norm, '_s')
    in_time = _layers(target, target, (kernel, 1, 1), stride, norm, '_t')
    return Units(OrderedDict(in_space | in_time))


class _Inception(nn.Module):
    """Four parallel branches, concatenated."""

    def __init__(self, source: int, widths: Sequence[int], norm: dict) -> None:
        super().__init__()
        one, reduced_a, out_a, reduced_b, out_b, pooled = widths
        self.branch0 = nn.Sequential(_unit(source, one, norm))
        self.branch1, self.branch2 = (
            nn.Sequential(
                _unit(source, reduced, norm), _separable(reduced, out, 3, 1, norm)
            )
            for reduced, out in ((reduced_a, out_a), (reduced_b, out_b))
        )
        pool = MaxPool3d((3, 3, 3), (1, 1, 1), (1, 1, 1))
        self.branch3 = nn.Sequential(pool, _unit(source, pooled, norm))
        self.out_channels = one + out_a + out_b + pooled

    def forward(self, x: Tensor) -> Tensor:
        branches = self.branch0, self.branch1, self.branch2
        units = [branch[0] for branch in branches]
        if not all(type(u.bn) is BatchNorm3d and u.bn.training for u in units):
            parts = [branch(x) for branch in (*branches, self.branch3)]
            return torch.cat(parts, dim=1)
        parts = pointwise_units(x, [u.conv for u in units], [u.bn for u in units])
        parts = [branch[1:](part) for branch, part in zip(branches, parts)]
        # In the order of memory: these are parts of one.
        parts = [y.permute(0, 2, 3, 4, 1) for y in (*parts, self.branch3(x))]
        return torch.cat(parts, dim=-1).permute(0, 4, 1, 2, 3)


@MODELS.register_module()
class S3D(BaseModule):
    """Separable 3D inception network for video or keypoint heatmaps.

    Args:
        in_channels: Channels of the input: 3 for video, K for heatmaps.
        num_blocks: 4 (features c1…c4) or 5 (the whole Kinetics network).
        width: Multiplier of every channel count, rounded to a multiple of 8.
        frozen_blocks: The first n blocks are not trained and keep their batch
            norm statistics.
        with_cp: Recompute the activations of each trained block in backward.
        norm_eps, norm_momentum: Of every batch norm. The published momentum
            0.001 presumes pretrained statistics; from scratch use 0.1.
        pretrained: As MMAction2's backbones have it, for use outside of a recognizer,
            whose streams have a ``pretrained`` of their own: see ``load_backbone``.

    Examples:
        >>> net = S3D(in_channels=79, width=0.125)
        >>> net(torch.zeros(1, 79, 16, 32, 32)).shape  # T/4, H/16, W/16
        torch.Size([1, 104, 4, 2, 2])
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_blocks: int = 4,
        width: float = 1.0,
        frozen_blocks: int = 0,
        with_cp: bool = False,
        norm_eps: float = 1e-3,
        norm_momentum: float = 1e-3,
        pretrained: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if num_blocks not in (4, 5):
            raise ConfigError(f'S3D has 4 or 5 blocks, not num_blocks={num_blocks}')
        if not 0 <= frozen_blocks <= num_blocks:
            raise ConfigError(f'S3D: {frozen_blocks=} of {num_blocks} blocks')
        if width <= 0:
            raise ConfigError(f'S3D: width must be positive, not {width}')
        if pretrained is not None and init_cfg is not None:
            raise ConfigError('S3D takes either pretrained or init_cfg, not both')
        self.in_channels = in_channels
        self.frozen_blocks = frozen_blocks
        self.with_cp = with_cp
        self.pretrained = pretrained
        norm = dict(eps=norm_eps, momentum=norm_momentum)

        def wide(channels: int) -> int:
            return max(8, round(channels * width / 8) * 8)

        stem, channels = wide(64), wide(192)
        blocks = [
            [_separable(in_channels, stem, 7, 2, norm)],
            [
                MaxPool3d(*_POOLS[1]),
                _unit(stem, stem, norm),
                _separable(stem, channels, 3, 1, norm),
            ],
        ]
        for index in range(2, num_blocks):
            blocks.append([MaxPool3d(*_POOLS[index])])
            for widths in _INCEPTION[index]:
                layer = _Inception(channels, [wide(c) for c in widths], norm)
                channels = layer.out_channels
                blocks[-1].append(layer)
        self.blocks = nn.ModuleList(nn.Sequential(*block) for block in blocks)
        self.out_channels = channels
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
        self._freeze()

    def init_weights(self) -> None:
        """Load ``pretrained`` if one is named; raises on weights that do not fit."""
        super().init_weights()
        if self.pretrained is not None:
            load_backbone(self, self.pretrained)

    @staticmethod
    def convert_checkpoint(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Our names for the tensors of an S3D, ours or the published ones.

        The classifier of the published weights is left out.
        """
        converted = {flat_to_block(name): tensor for name, tensor in state.items()}
        converted.pop(None, None)
        return converted or dict(state)

    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        """The blocks in order; running them one by one is ``forward``."""
        return [partial(self._run_block, index) for index in range(len(self.blocks))]

    def _run_block(self, index: int, x: Tensor) -> Tensor:
        block = self.blocks[index]
        # A frozen block on a plain input records no graph, as nothing in it
        # asks for a gradient; behind a trained connection it passes one on.
        trained = index >= self.frozen_blocks
        if self.with_cp and trained and self.training and torch.is_grad_enabled():
            return checkpointed(block, x)
        return block(x)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → features of the last block."""
        for stage in self.stages():
            x = stage(x)
        return x

    def train(self, mode: bool = True) -> S3D:
        super().train(mode)
        self._freeze()
        return self

    def _freeze(self) -> None:
        for block in self.blocks[: self.frozen_blocks]:
            block.requires_grad_(False)
            for module in block.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()


def flat_to_block(name: str) -> str | None:
    """``base.5.branch0…`` → ``blocks.2.1.branch0…``; None for other names."""
    match = _FLAT.fullmatch(name)
    if match is None:
        return None
    layer = int(match[1])
    block = max(b for b, start in enumerate(_BLOCK_STARTS) if start <= layer)
    return f'blocks.{block}.{layer - _BLOCK_STARTS[block]}.{match[2]}'


def block_to_flat(name: str) -> str | None:
    """``blocks.2.1.branch0…`` → ``base.5.branch0…``; None for other names."""
    match = _BLOCK.fullmatch(name)
    if match is None or int(match[1]) >= len(_BLOCK_STARTS):
        return None
    return f'base.{_BLOCK_STARTS[int(match[1])] + int(match[2])}.{match[3]}'
