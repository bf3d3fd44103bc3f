"""Stages of MMAction2's video transformers whose tokens stay on a grid."""

from __future__ import annotations

import torch
from mmaction.models.backbones import MViT, SwinTransformer3D, UniFormer
from mmaction.models.backbones.mvit import resize_pos_embed
from torch import Tensor

from .contract import Stage, stage_adapter
from .convolutional import chain


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 4, 1, 2, 3).contiguous()


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 4, 1).contiguous()


@stage_adapter(SwinTransformer3D)
def swin_stages(net: SwinTransformer3D) -> list[Stage]:
    """Stage 0 embeds the patches; the others are the layers.

    The patch merging between two layers opens the upper one unless the network
    is built with ``out_after_downsample``; the last stage ends with its norm.
    """
    last = max(net.out_indices)
    merged = net.out_after_downsample

    def layer_stage(index: int) -> Stage:
        layer = net.layers[index]
        merge = None
        if index > 0 and not merged:
            merge = net.layers[index - 1].downsample

        def run(x: Tensor) -> Tensor:
            if merge is not None:
                x = _channels_first(merge(_channels_last(x)))
            # A layer takes channels first and returns them last.
            x = layer(x.contiguous(), do_downsample=merged)
            if index == last:
                x = getattr(net, f'norm{index}')(x)
            return _channels_first(x)

        return run

    embed = chain(net.patch_embed, net.pos_drop)
    return [embed, *(layer_stage(index) for index in range(last + 1))]


@stage_adapter(UniFormer)
def uniformer_stages(net: UniFormer) -> list[Stage]:
    """``patch_embed{i}`` and ``blocks{i}``; the last one ends with the norm."""
    return [
        chain(net.patch_embed1, net.pos_drop, *net.blocks1),
        chain(net.patch_embed2, *net.blocks2),
        chain(net.patch_embed3, *net.blocks3),
        chain(net.patch_embed4, *net.blocks4, net.norm),
    ]


@stage_adapter(MViT)
def mvit_stages(net: MViT) -> list[Stage]:
    """The scales, each up to the block before the next is pooled.

    The class token is not on the grid. It goes from stage to stage beside it, so
    the list serves one pass. The output is the patch tokens of the last scale.
    """
    ends = sorted(net.stage_indices)
    ends = ends[: max(net.out_scales) + 1]
    class_token: list[Tensor] = []

    def embed(x: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        clips = x.shape[0]
        x, grid = net.patch_embed(x)
        x = torch.cat((net.cls_token.expand(clips, -1, -1), x), dim=1)
        if net.use_abs_pos_embed:
            x = x + resize_pos_embed(
                net.pos_embed,
                net.patch_resolution,
                grid,
                mode=net.interpolate_mode,
                num_extra_tokens=net.num_extra_tokens,
            )
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
