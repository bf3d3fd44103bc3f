"""Stages of MMAction2's video transformers.

Symbols: B clips, C channels, T frames, W frames of a window, S frames from the start
of one to that of the next.

Some keep their tokens on a grid. TimeSformer, VideoMAE's ViT and UniFormerV2 learn
positions in time for exactly W frames: each is one single stage that sees the clip in
windows. A network that gives one vector per clip gives one step per window,
(B, C, T/S, 1, 1); one that keeps the grid (VideoMAE with ``return_feat_map``) has its
windows put together. On a clip of W frames there is one window with the grid: it is
``backbone(x)``.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmaction.models import backbones
from mmaction.models.backbones.mvit import resize_pos_embed
from torch import Tensor

from .contract import Stage, stage_adapter
from .convolutional import chain

# Frames per step of a network that gives one vector per window, as S3D's.
STEP = 4


@stage_adapter(backbones.SwinTransformer3D)
def swin_stages(net: backbones.SwinTransformer3D) -> list[Stage]:
    """Stage 0 embeds the patches; the others are the layers.

    The patch merging between two layers opens the upper one unless the network
    is built with ``out_after_downsample``; the last stage ends with its norm.
    """
    last = max(net.out_indices)
    merged = net.out_after_downsample

    def layer_stage(index: int) -> Stage:
        unmerged = index > 0 and not merged
        merge = net.layers[index - 1].downsample if unmerged else None

        def run(x: Tensor) -> Tensor:
            if merge is not None:
                x = merge(x.movedim(1, -1).contiguous()).movedim(-1, 1)
            # A layer takes channels first and returns them last.
            x = net.layers[index](x.contiguous(), do_downsample=merged)
            if index == last:
                x = getattr(net, f'norm{index}')(x)
            return x.movedim(-1, 1).contiguous()

        return run

    embed = chain(net.patch_embed, net.pos_drop)
    return [embed, *(layer_stage(index) for index in range(last + 1))]


@stage_adapter(backbones.UniFormer)
def uniformer_stages(net: backbones.UniFormer) -> list[Stage]:
    """``patch_embed{i}`` and ``blocks{i}``; the last one ends with the norm."""
    return [
        chain(net.patch_embed1, net.pos_drop, *net.blocks1),
        chain(net.patch_embed2, *net.blocks2),
        chain(net.patch_embed3, *net.blocks3),
        chain(net.patch_embed4, *net.blocks4, net.norm),
    ]


@stage_adapter(backbones.MViT)
def mvit_stages(net: backbones.MViT) -> list[Stage]:
    """The scales, each up to the block before the next is pooled.

    The class token is not on the grid. It goes from stage to stage beside it, so
    the list serves one pass. The output is the patch tokens of the last scale.
    """
    ends = sorted(net.stage_indices)[: max(net.out_scales) + 1]
    class_token: list[Tensor] = []

    def embed(x: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        clips = x.shape[0]
        x, grid = net.patch_embed(x)
        x = torch.cat((net.cls_token.expand(clips, -1, -1), x), dim=1)
        if net.use_abs_pos_embed:
            sizes = net.patch_resolution, grid, net.interpolate_mode
            x = x + resize_pos_embed(net.pos_embed, *sizes, net.num_extra_tokens)
        return (x if net.with_cls_token else x[:, 1:]), grid

    def scale_stage(scale: int) -> Stage:
        begin = ends[scale - 1] + 1 if scale else 0

        def run(x: Tensor) -> Tensor:
            if scale == 0:
                x, grid = embed(x)
            else:
                grid = tuple(x.shape[2:])
                x = x.flatten(2).transpose(1, 2)
                if net.with_cls_token:
                    x = torch.cat((class_token.pop(), x), dim=1)
            for block in net.blocks[begin : ends[scale] + 1]:
                x, grid = block(x, grid)
            if scale in net.out_scales:
                x = getattr(net, f'norm{scale}')(x)
            if net.with_cls_token:
                if scale < len(ends) - 1:
                    class_token.append(x[:, :1])
                x = x[:, 1:]
            return x.transpose(1, 2).unflatten(2, tuple(grid))

        return run

    return [scale_stage(scale) for scale in range(len(ends))]


def windowed(net: nn.Module, window: int) -> Stage:
    """Run a network of exactly ``window`` frames on a clip of any length.

    With one vector per window, step i's window is centred on its ``STEP``
    frames, so that there are ⌈T/STEP⌉ steps. The first and the last frame are repeated
    where a window reaches beyond the clip.
    """

    def padded(x: Tensor, before: int, after: int) -> Tensor:
        y = F.pad(x.flatten(3), (0, 0, before, after), mode='replicate')
        return y.unflatten(3, x.shape[3:])

    def run(x: Tensor) -> Tensor:
        clips, frames = len(x), x.shape[2]
        if getattr(net, 'return_feat_map', False):
            whole = padded(x, 0, -frames % window)
            parts = whole.unflatten(2, (-1, window)).transpose(1, 2).flatten(0, 1)
            y = net(parts).unflatten(0, (clips, -1)).transpose(1, 2).flatten(2, 3)
            return y[:, :, : -(-frames * y.shape[2] // whole.shape[2])]
        hop = min(STEP, window)
        steps = -(-frames // hop)
        before = (window - hop) // 2
        whole = padded(x, before, steps * hop + window - hop - before - frames)
        # (B, C, steps, H, W, window)
        parts = whole.unfold(2, window, hop).permute(0, 2, 1, 5, 3, 4)
        y = net(parts.flatten(0, 1).contiguous())
        return y.view(clips, steps, -1, 1, 1).transpose(1, 2)

    return run


@stage_adapter(backbones.TimeSformer)
def timesformer_stages(net: backbones.TimeSformer) -> list[Stage]:
    """The class token of each window."""
    return [windowed(net, net.num_frames)]


@stage_adapter(backbones.UniFormerV2)
def uniformer_v2_stages(net: backbones.UniFormerV2) -> list[Stage]:
    """The global token of each window."""
    return [windowed(net, net.transformer.T * net.conv1.stride[0])]


@stage_adapter(backbones.VisionTransformer)
def vit_stages(net: backbones.VisionTransformer) -> list[Stage]:
    """VideoMAE's encoder: the mean of a window's tokens, or the tokens."""
    rows, columns = net.grid_size
    times = net.pos_embed.shape[1] // (rows * columns)
    return [windowed(net, times * net.patch_embed.projection.stride[0])]
