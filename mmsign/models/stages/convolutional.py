"""Stages of MMAction2's convolutional networks, for clips and for single images.

Symbols: B clips, C channels, T frames. Stage 0 is the stem, stage i is ``layer{i}``: as
MMAction2 counts them in ``frozen_stages``. A network for images is applied to every
frame: they are folded into the batch, (B·T, C, H, W), and back after every stage.
"""

import re
from functools import reduce

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmaction.models import backbones
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.registry import MODELS

from .contract import Stage, backbone_stages, stage_adapter


def chain(*modules: nn.Module | Stage) -> Stage:
    """One callable that runs the given ones in order."""
    return lambda x: reduce(lambda y, module: module(y), modules, x)


def _layers(net: nn.Module, names: list[str]) -> list[nn.Module]:
    """Those up to the last of ``out_indices``; later ones do not contribute."""
    return [getattr(net, name) for name in names[: max(net.out_indices) + 1]]


@stage_adapter(backbones.ResNet3d)
def resnet3d_stages(net: backbones.ResNet3d) -> list[Stage]:
    """SlowOnly, CSN, I3D and the pathways of SlowFast too."""
    layers = _layers(net, net.res_layers)
    stem = chain(net.conv1, net.maxpool) if net.with_pool1 else net.conv1
    if net.with_pool2:
        layers[0] = chain(layers[0], net.pool2)
    return [stem, *layers]


@stage_adapter(backbones.ResNet2Plus1d)
def resnet2plus1d_stages(net: backbones.ResNet2Plus1d) -> list[Stage]:
    """R(2+1)D: every layer, no second pool."""
    layers = [getattr(net, name) for name in net.res_layers]
    return [chain(net.conv1, net.maxpool), *layers]


@stage_adapter(backbones.X3D)
def x3d_stages(net: backbones.X3D) -> list[Stage]:
    """The last stage ends with ``conv5``."""
    layers = [getattr(net, name) for name in net.res_layers]
    layers[-1] = chain(layers[-1], net.conv5)
    return [chain(net.conv1_s, net.conv1_t), *layers]


@stage_adapter(backbones.ResNet3dSlowFast)
def slowfast_stages(net: backbones.ResNet3dSlowFast) -> list[Stage]:
    """One stage: the slow features repeated to the fast ones' length, then both.

    Inside, two tensors of different lengths are exchanged, which the contract
    does not know; either pathway alone is a ``ResNet3dSlowOnly``.
    """

    def both(x: Tensor) -> Tensor:
        slow, fast = net(x)
        slow = F.interpolate(slow, (fast.shape[2], *slow.shape[3:]), mode='nearest')
        return torch.cat([slow, fast], dim=1)

    return [both]


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


# torchvision's names of a ResNet's tensors, and MMAction2's.
_TORCHVISION = {
    r'(.*\b)conv(\d)\.(weight)': r'\1conv\2.conv.\3',
    r'(.*\b)bn(\d)\.(\w+)': r'\1conv\2.bn.\3',
    r'(.*\bdownsample)\.0\.(\w+)': r'\1.conv.\2',
    r'(.*\bdownsample)\.1\.(\w+)': r'\1.bn.\2',
}


def torchvision_to_mmaction(name: str) -> str:
    """MMAction2's name of a tensor of torchvision's ResNet; of others their own.

    Examples:
        >>> torchvision_to_mmaction('layer2.0.bn1.weight')
        'layer2.0.conv1.bn.weight'
        >>> torchvision_to_mmaction('layer2.0.conv1.bn.weight')
        'layer2.0.conv1.bn.weight'
    """
    for theirs, ours in _TORCHVISION.items():
        if match := re.fullmatch(theirs, name):
            return match.expand(ours)
    return name


@stage_adapter(backbones.ResNet, renamed=torchvision_to_mmaction)
def resnet_stages(net: backbones.ResNet) -> list[Stage]:
    """ResNet and, with shifts between the frames, ResNetTSM."""
    layers = _layers(net, net.res_layers)
    return [framewise(net.conv1, net.maxpool), *map(framewise, layers)]


@stage_adapter(backbones.MobileNetV2)
def mobilenet_v2_stages(net: backbones.MobileNetV2) -> list[Stage]:
    """The stem, each layer, and ``conv2`` as the last stage; with TSM too."""
    return [framewise(net.conv1), *map(framewise, _layers(net, net.layers))]


@stage_adapter(backbones.C2D)
def c2d_stages(net: backbones.C2D) -> list[Stage]:
    """ResNet per frame with two max pools over time."""
    first, *others = map(framewise, _layers(net, net.res_layers))
    stem = chain(framewise(net.conv1), net.maxpool3d_1)
    return [stem, chain(first, net.maxpool3d_2), *others]


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
