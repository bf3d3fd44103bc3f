"""Networks for clips of one fixed length, applied to windows of a long one.

Symbols: B clips, T frames, W frames of a window, S frames between the starts of
two windows.

TimeSformer, VideoMAE's ViT and UniFormerV2 learn positions in time for exactly W
frames. Each is one single stage that sees the clip in windows. A network that
gives one vector per clip gives one step per window, (B, C, T/S, 1, 1); one that
keeps the grid (VideoMAE with ``return_feat_map``) has its windows put together.
On a clip of W frames there is one window with the grid: it is ``backbone(x)``.
"""

from __future__ import annotations

import torch.nn as nn
import torch.nn.functional as F
from mmaction.models.backbones import TimeSformer, UniFormerV2, VisionTransformer
from torch import Tensor

from .contract import Stage, stage_adapter

# Frames per step of a network that gives one vector per window, as S3D's.
STEP = 4


def _padded(x: Tensor, before: int, after: int) -> Tensor:
    """Repeat the first and the last frame."""
    clips, channels, frames, height, width = x.shape
    x = F.pad(x.flatten(3), (0, 0, before, after), mode='replicate')
    return x.view(clips, channels, frames + before + after, height, width)


def windowed(net: nn.Module, window: int) -> Stage:
    """Run a network of exactly ``window`` frames on a clip of any length.

    With one vector per window, step i's window is centred on its ``STEP``
    frames, so that there are ⌈T/STEP⌉ steps.
    """

    def run(x: Tensor) -> Tensor:
        clips, channels, frames, height, width = x.shape
        if _keeps_grid(net):
            whole = _padded(x, 0, -frames % window)
            parts = whole.unflatten(2, (-1, window)).transpose(1, 2).flatten(0, 1)
            y = net(parts).unflatten(0, (clips, -1)).transpose(1, 2).flatten(2, 3)
            steps = -(-frames * y.shape[2] // whole.shape[2])
            return y[:, :, :steps]
        hop = min(STEP, window)
        steps = -(-frames // hop)
        before = (window - hop) // 2
        whole = _padded(x, before, steps * hop + window - hop - before - frames)
        # (B, C, steps, H, W, window)
        parts = whole.unfold(2, window, hop).permute(0, 2, 1, 5, 3, 4)
        y = net(parts.flatten(0, 1).contiguous())
        return y.view(clips, steps, -1, 1, 1).transpose(1, 2)

    return run


def _keeps_grid(net: nn.Module) -> bool:
    return bool(getattr(net, 'return_feat_map', False))


@stage_adapter(TimeSformer)
def timesformer_stages(net: TimeSformer) -> list[Stage]:
    """The class token of each window."""
    return [windowed(net, net.num_frames)]


@stage_adapter(UniFormerV2)
def uniformer_v2_stages(net: UniFormerV2) -> list[Stage]:
    """The global token of each window."""
    return [windowed(net, net.transformer.T * net.conv1.stride[0])]


@stage_adapter(VisionTransformer)
def vit_stages(net: VisionTransformer) -> list[Stage]:
    """VideoMAE's encoder: the mean of a window's tokens, or the tokens."""
    rows, columns = net.grid_size
    times = net.pos_embed.shape[1] // (rows * columns)
    return [windowed(net, times * net.patch_embed.projection.stride[0])]
