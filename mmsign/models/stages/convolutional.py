"""Stages of MMAction2's 3D convolutional networks.

Stage 0 is the stem, stage i is ``layer{i}``: as MMAction2 counts them in
``frozen_stages``.
"""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmaction.models.backbones import X3D, ResNet2Plus1d, ResNet3d, ResNet3dSlowFast
from torch import Tensor

from .contract import Stage, stage_adapter


def chain(*modules: nn.Module | Stage) -> Stage:
    """One callable that runs the given ones in order."""

    def run(x: Tensor) -> Tensor:
        for module in modules:
            x = module(x)
        return x

    return run


@stage_adapter(ResNet3d)
def resnet3d_stages(net: ResNet3d) -> list[Stage]:
    """SlowOnly, CSN, I3D and the pathways of SlowFast too.

    The layers behind the last of ``out_indices`` do not contribute to the
    output; they are no stages.
    """
    layers = [getattr(net, name) for name in net.res_layers[: max(net.out_indices) + 1]]
    stem = chain(net.conv1, net.maxpool) if net.with_pool1 else net.conv1
    if net.with_pool2:
        layers[0] = chain(layers[0], net.pool2)
    return [stem, *layers]


@stage_adapter(ResNet2Plus1d)
def resnet2plus1d_stages(net: ResNet2Plus1d) -> list[Stage]:
    """R(2+1)D: every layer, no second pool."""
    layers = [getattr(net, name) for name in net.res_layers]
    return [chain(net.conv1, net.maxpool), *layers]


@stage_adapter(X3D)
def x3d_stages(net: X3D) -> list[Stage]:
    """The last stage ends with ``conv5``."""
    layers = [getattr(net, name) for name in net.res_layers]
    layers[-1] = chain(layers[-1], net.conv5)
    return [chain(net.conv1_s, net.conv1_t), *layers]


@stage_adapter(ResNet3dSlowFast)
def slowfast_stages(net: ResNet3dSlowFast) -> list[Stage]:
    """One stage: the slow features repeated to the fast ones' length, then both.

    Inside, two tensors of different lengths are exchanged, which the contract
    does not know; either pathway alone is a ``ResNet3dSlowOnly``.
    """

    def both(x: Tensor) -> Tensor:
        slow, fast = net(x)
        slow = F.interpolate(slow, (fast.shape[2], *slow.shape[3:]), mode='nearest')
        return torch.cat([slow, fast], dim=1)

    return [both]
