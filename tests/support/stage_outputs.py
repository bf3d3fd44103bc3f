"""What a backbone makes of an input, stage by stage."""

from __future__ import annotations

import torch
import torch.nn as nn

from mmsign.models.stages import backbone_stages


def stage_outputs(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """(B, C, T, H, W) of each stage, in order."""
    outputs = []
    for stage in backbone_stages(net):
        x = stage(x)
        outputs.append(x)
    return outputs


def paths(outputs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of SlowFast's stages the slow and fast features, by SlowFastSign's names."""
    found = {}
    for number, x in enumerate(outputs, 1):
        name = f's{number}' if x is outputs[-1] else f's{number}_fuse'
        channels = x.shape[1] * 8 // 9
        found[f'{name}_slow'] = x[:, :channels, ::4]
        found[f'{name}_fast'] = x[:, channels:]
    return found
