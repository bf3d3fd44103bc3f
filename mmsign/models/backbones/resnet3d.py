"""MMAction2's 3D residual networks, computed by mmsign's layers."""

from collections.abc import Callable

import mmaction.models.backbones as mmaction
import torch
import torch.nn as nn
from torch import Tensor

from ..layers.checkpointing import checkpointed
from ..layers.volume import BatchNorm3d, Conv3d, MaxPool3d
from ..stages.convolutional import chain

LAYERS = dict(conv_cfg=dict(type=Conv3d), norm_cfg=dict(type=BatchNorm3d))
"""What MMCV's ``ConvModule`` and MMAction2's networks are to be built of."""


class ResNet3d(mmaction.ResNet3d):
    """``ResNet3d`` of MMAction2, whose parameters have its names.

    Time keeps its length.

    Args:
        with_cp: Recompute the activations of each residual block in backward.
        config: As of MMAction2's.
    """

    def __init__(self, with_cp: bool = False, **config) -> None:
        fixed = dict(with_pool2=False, pretrained2d=False)
        super().__init__(**LAYERS, **fixed, **config)
        self.maxpool = MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        # The blocks of MMAction2 would update batch norms a second time.
        self.with_cp = with_cp

    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        """The stem, then one per layer."""
        layers = [self._blocks(getattr(self, name)) for name in self.res_layers]
        return [chain(self.conv1, self.maxpool), *layers]

    def _blocks(self, layer: nn.Sequential) -> Callable[[Tensor], Tensor]:
        def run(x: Tensor) -> Tensor:
            again = self.with_cp and self.training and torch.is_grad_enabled()
            for block in layer:
                x = checkpointed(block, x) if again else block(x)
            return x

        return run

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → features of the last layer."""
        return chain(*self.stages())(x)

    def train(self, mode: bool = True) -> 'ResNet3d':
        super().train(mode)
        return self  # MMAction2's returns nothing
