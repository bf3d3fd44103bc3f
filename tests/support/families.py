"""Small networks of every family: config, input (channels, size), stages expected.

The stages expected are (channels, time stride, (height, width)).
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn as nn
from mmengine.registry import DefaultScope

import mmsign  # noqa: F401  registers the parts
from mmsign.registry import MODELS

STEM = dict(base_channels=4, stage_blocks=(1, 1, 1, 1))
SWIN = dict(embed_dims=8, depths=[2, 2], num_heads=[1, 2])
WINDOW = dict(window_size=(2, 3, 3), drop_path_rate=0.0, pretrained2d=False)
RESNET_STAGES = [
    (4, 1, (8, 8)),
    (16, 1, (8, 8)),
    (32, 1, (4, 4)),
    (64, 1, (2, 2)),
    (128, 1, (1, 1)),
]
FRAME_STAGES = [
    (64, 1, (8, 8)),
    (64, 1, (8, 8)),
    (128, 1, (4, 4)),
    (256, 1, (2, 2)),
    (512, 1, (1, 1)),
]
NARROW_STAGES = [(c // 8, t, size) for c, t, size in FRAME_STAGES]


def strided(stages: list[tuple], *strides: int) -> list[tuple]:
    return [(c, t, size) for (c, _, size), t in zip(stages, strides)]


FAMILIES = dict(
    slowonly=(dict(type='ResNet3dSlowOnly', **STEM), 3, RESNET_STAGES),
    i3d=(
        dict(type='ResNet3d', conv1_stride_t=2, pretrained2d=False, **STEM),
        3,
        strided(RESNET_STAGES, 2, 4, 4, 4, 4),
    ),
    posec3d=(
        dict(
            type='ResNet3dSlowOnly',
            in_channels=79,
            base_channels=4,
            num_stages=3,
            out_indices=(2,),
            stage_blocks=(1, 1, 1),
            conv1_stride_s=1,
            pool1_stride_s=1,
            inflate=(0, 1, 1),
            spatial_strides=(2, 2, 2),
            temporal_strides=(1, 1, 2),
            dilations=(1, 1, 1),
        ),
        79,
        [(4, 1, (32, 32)), (16, 1, (16, 16)), (32, 1, (8, 8)), (64, 2, (4, 4))],
    ),
    fast_pathway=(
        dict(
            type='ResNet3dSlowOnly',
            conv1_kernel=(5, 7, 7),
            inflate=(1, 1, 1, 1),
            **STEM,
        ),
        3,
        RESNET_STAGES,
    ),
    fewer_outputs=(
        dict(type='ResNet3dSlowOnly', out_indices=(1,), **STEM),
        3,
        RESNET_STAGES[:3],
    ),
    csn=(
        dict(
            type='ResNet3dCSN',
            depth=50,
            pretrained=None,
            pretrained2d=False,
            with_pool2=False,
            **STEM,
        ),
        3,
        strided(RESNET_STAGES, 1, 1, 2, 4, 8),
    ),
    r2plus1d=(
        dict(
            type='ResNet2Plus1d',
            depth=18,
            pretrained2d=False,
            conv_cfg=dict(type='Conv2plus1d'),
            temporal_strides=(1, 2, 2, 2),
            base_channels=4,
            stage_blocks=(1, 1, 1, 1),
        ),
        3,
        [
            (4, 1, (8, 8)),
            (4, 1, (8, 8)),
            (8, 2, (4, 4)),
            (16, 4, (2, 2)),
            (32, 8, (1, 1)),
        ],
    ),
    slowfast=(
        dict(
            type='ResNet3dSlowFast',
            resample_rate=4,
            speed_ratio=4,
            channel_ratio=4,
            slow_pathway=dict(
                type='resnet3d',
                depth=50,
                pretrained=None,
                lateral=True,
                conv1_kernel=(1, 7, 7),
                conv1_stride_t=1,
                pool1_stride_t=1,
                inflate=(0, 0, 1, 1),
                with_pool2=False,
                base_channels=8,
                stage_blocks=(1, 1, 1, 1),
            ),
            fast_pathway=dict(
                type='resnet3d',
                depth=50,
                pretrained=None,
                lateral=False,
                base_channels=2,
                conv1_kernel=(5, 7, 7),
                conv1_stride_t=1,
                pool1_stride_t=1,
                with_pool2=False,
                stage_blocks=(1, 1, 1, 1),
            ),
        ),
        3,
        [(256 + 64, 1, (1, 1))],
    ),
    x3d=(
        dict(type='X3D', gamma_w=0.4, gamma_b=1.0, gamma_d=0.5),
        3,
        [
            (16, 1, (16, 16)),
            (16, 1, (8, 8)),
            (32, 1, (4, 4)),
            (64, 1, (2, 2)),
            (128, 1, (1, 1)),
        ],
    ),
    swin=(
        dict(type='SwinTransformer3D', arch=SWIN, out_indices=(1,), **WINDOW),
        3,
        [(8, 2, (8, 8)), (8, 2, (8, 8)), (16, 2, (4, 4))],
    ),
    swin_merged=(
        dict(
            type='SwinTransformer3D',
            arch=SWIN,
            out_indices=(1,),
            out_after_downsample=True,
            **WINDOW,
        ),
        3,
        [(8, 2, (8, 8)), (16, 2, (4, 4)), (16, 2, (4, 4))],
    ),
    uniformer=(
        dict(
            type='UniFormer',
            depth=[1, 1, 1, 1],
            embed_dim=[8, 8, 16, 16],
            head_dim=8,
            img_size=32,
            pretrained2d=False,
        ),
        3,
        [(8, 2, (8, 8)), (8, 2, (4, 4)), (16, 2, (2, 2)), (16, 2, (1, 1))],
    ),
    mvit=(
        dict(
            type='MViT',
            arch=dict(
                embed_dims=8, num_layers=4, num_heads=1, downscale_indices=[1, 3]
            ),
            spatial_size=32,
            temporal_size=16,
        ),
        3,
        [(8, 2, (8, 8)), (16, 2, (4, 4)), (32, 2, (2, 2))],
    ),
    mvit_without_class_token=(
        dict(
            type='MViT',
            arch=dict(
                embed_dims=8, num_layers=4, num_heads=1, downscale_indices=[1, 3]
            ),
            spatial_size=32,
            temporal_size=16,
            out_scales=[0, 1, 2],
            with_cls_token=False,
            output_cls_token=False,
            use_abs_pos_embed=False,
        ),
        3,
        [(8, 2, (8, 8)), (16, 2, (4, 4)), (32, 2, (2, 2))],
    ),
    timesformer=(
        dict(
            type='TimeSformer',
            num_frames=16,
            img_size=32,
            patch_size=16,
            embed_dims=16,
            num_heads=2,
            num_transformer_layers=1,
        ),
        3,
        [(16, 4, (1, 1))],
    ),
    videomae=(
        dict(
            type='VisionTransformer',
            img_size=32,
            embed_dims=16,
            depth=1,
            num_heads=2,
            num_frames=16,
        ),
        3,
        [(16, 4, (1, 1))],
    ),
    videomae_grid=(
        dict(
            type='VisionTransformer',
            img_size=32,
            embed_dims=16,
            depth=1,
            num_heads=2,
            num_frames=16,
            return_feat_map=True,
        ),
        3,
        [(16, 2, (2, 2))],
    ),
    uniformer_v2=(
        dict(
            type='UniFormerV2',
            input_resolution=32,
            width=16,
            layers=2,
            heads=2,
            t_size=16,
            return_list=[0, 1],
            n_layers=2,
            n_dim=16,
            n_head=2,
            mlp_dropout=[0.0, 0.0],
            no_lmhra=False,
            clip_pretrained=False,
        ),
        3,
        [(16, 4, (1, 1))],
    ),
    corrnet=(dict(type='CorrNet', base_channels=8), 3, NARROW_STAGES),
    bidirectional_slowfast=(
        dict(type='BidirectionalSlowFast', base_channels=8, stage_blocks=(1, 1, 1, 1)),
        3,
        [(9 * c // 4, t, size) for c, t, size in RESNET_STAGES],
    ),
    c2d=(
        dict(type='C2D', depth=18),
        3,
        [(64, 1, (7, 7)), (64, 2, (7, 7)), *strided(FRAME_STAGES[2:], 2, 2, 2)],
    ),
    resnet=(dict(type='ResNet', depth=18), 3, FRAME_STAGES),
    mobilenet_v2=(
        dict(type='MobileNetV2', widen_factor=0.25),
        3,
        [
            (8, 1, (16, 16)),
            (8, 1, (16, 16)),
            (8, 1, (8, 8)),
            (8, 1, (4, 4)),
            (16, 1, (2, 2)),
            (24, 1, (2, 2)),
            (40, 1, (1, 1)),
            (80, 1, (1, 1)),
            (1280, 1, (1, 1)),
        ],
    ),
)


def build(config: dict, **changes) -> nn.Module:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        net = MODELS.build({**config, **changes})
    net.eval()
    # What starts at zero would hide a stage that is left out.
    for parameter in net.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return net


@cache
def built(family: str) -> nn.Module:
    return build(FAMILIES[family][0])
