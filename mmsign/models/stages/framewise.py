"""Stages of networks for single images, applied to every frame.

Symbols: B clips, C channels, T frames. The frames are folded into the batch,
(B·T, C, H, W), and back after every stage.
"""

from __future__ import annotations

import torch.nn as nn
from mmaction.models.backbones import C2D, MobileNetV2, ResNet
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.registry import MODELS

from .contract import Stage, backbone_stages, stage_adapter
from .convolutional import chain


def framewise(*modules: nn.Module) -> Stage:
    """Run (B·T, C, H, W) modules on (B, C, T, H, W).

    Modules that exchange information between frames (temporal shift, temporal
    pooling, non-local blocks) are told the number of frames first: MMAction2
    fixes ``num_segments`` when the network is built, but nothing they learn
    depends on it.
    """

    def run(x: Tensor) -> Tensor:
        clips = x.shape[0]
        x = x.transpose(1, 2).flatten(0, 1)
        for module in modules:
            _tell_frames(module, x.shape[0] // clips)
            x = module(x)
        return x.unflatten(0, (clips, -1)).transpose(1, 2)

    return run


def _tell_frames(module: nn.Module, frames: int) -> None:
    """Set ``num_segments`` of everything in ``module`` that has one."""
    if hasattr(module, 'num_segments'):
        module.num_segments = frames
        if hasattr(module, 'max_pool3d'):  # a temporal pool of stride 2
            frames = (frames + 1) // 2
    for child in module.children():
        _tell_frames(child, frames)


@stage_adapter(ResNet)
def resnet_stages(net: ResNet) -> list[Stage]:
    """ResNet and, with shifts between the frames, ResNetTSM."""
    layers = [getattr(net, name) for name in net.res_layers[: max(net.out_indices) + 1]]
    return [framewise(net.conv1, net.maxpool), *map(framewise, layers)]


@stage_adapter(MobileNetV2)
def mobilenet_v2_stages(net: MobileNetV2) -> list[Stage]:
    """The stem, each layer, and ``conv2`` as the last stage; with TSM too."""
    layers = [getattr(net, name) for name in net.layers[: max(net.out_indices) + 1]]
    return [framewise(net.conv1), *map(framewise, layers)]


@stage_adapter(C2D)
def c2d_stages(net: C2D) -> list[Stage]:
    """ResNet per frame with two max pools over time."""
    layers = [
        framewise(getattr(net, name))
        for name in net.res_layers[: max(net.out_indices) + 1]
    ]
    layers[0] = chain(layers[0], net.maxpool3d_2)
    return [chain(framewise(net.conv1), net.maxpool3d_1), *layers]


@MODELS.register_module()
class FramewiseBackbone(BaseModule):
    """A network for single images on every frame of a clip.

    A family with an adapter is connected inside as elsewhere; any other network
    (B, C, H, W) → (B, C', H', W') is one single stage.

    Args:
        backbone: Config of the network.
    """

    def __init__(self, backbone: dict, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)

    def stages(self) -> list[Stage]:
        """The network's own stages, or the network as one."""
        stages = backbone_stages(self.backbone)
        return [framewise(self.backbone)] if stages == [self.backbone] else stages

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) → features of the last stage."""
        return chain(*self.stages())(x)
