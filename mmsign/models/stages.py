"""The stage contract: any backbone as an ordered list of stages.

A stage is a callable (B, C, T, H, W) → (B, C', T', H', W'); running all stages
of a backbone one after the other is exactly ``backbone(x)``. What the
connections, the pyramid and the heads need to know of a stage (channels and
output size) is found by one dry run, never typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch import Tensor

Stage = Callable[[Tensor], Tensor]
DRY_RUN_FRAMES = 16


@dataclass(frozen=True)
class StageInfo:
    """What one stage puts out.

    Attributes:
        channels: Output channels.
        time_stride: Input frames per output step.
        size: (height, width) of the output in pixels.
    """

    channels: int
    time_stride: int
    size: tuple[int, int]


def backbone_stages(backbone: nn.Module) -> list[Stage]:
    """The stages of a backbone.

    A backbone that has a method ``stages()`` is walked stage by stage; any
    other is one single stage: it works, without connections inside.
    """
    if hasattr(backbone, 'stages') and callable(backbone.stages):
        return list(backbone.stages())
    return [backbone]


def describe_stages(
    backbone: nn.Module, in_channels: int, size: tuple[int, int]
) -> list[StageInfo]:
    """Find channels, time stride and output size of each stage by a dry run.

    Args:
        backbone: A built backbone.
        in_channels: Channels of its input.
        size: (height, width) of its input in pixels.

    Returns:
        One ``StageInfo`` per stage.

    Raises:
        ValueError: If the backbone refuses the input, or a stage's output is
            not five-dimensional.
    """
    was_training = backbone.training
    backbone.eval()
    infos = []
    try:
        with torch.no_grad():
            x = torch.zeros(1, in_channels, DRY_RUN_FRAMES, *size)
            for index, stage in enumerate(backbone_stages(backbone)):
                try:
                    x = stage(x)
                except RuntimeError as error:
                    raise ValueError(
                        f'{type(backbone).__name__} cannot take an input of '
                        f'{in_channels} channels and {size[0]}×{size[1]} pixels '
                        f'(stage {index}: {error})'
                    ) from error
                if not isinstance(x, Tensor) or x.dim() != 5:
                    raise ValueError(
                        f'stage {index} of {type(backbone).__name__} must return '
                        'one (B, C, T, H, W) tensor, got '
                        f'{tuple(x.shape) if isinstance(x, Tensor) else type(x)}'
                    )
                infos.append(
                    StageInfo(
                        channels=x.shape[1],
                        time_stride=max(1, round(DRY_RUN_FRAMES / x.shape[2])),
                        size=(x.shape[3], x.shape[4]),
                    )
                )
    finally:
        backbone.train(was_training)
    return infos
