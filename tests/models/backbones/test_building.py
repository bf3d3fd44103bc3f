import pytest
import torch.nn as nn

from mmsign.models.backbones.building import build_backbone
from mmsign.registry import MODELS

NARROW = dict(base_channels=4, stage_blocks=(1, 1, 1, 1))


@pytest.mark.parametrize(
    ('config', 'first'),
    [
        (dict(type='S3D', width=0.125), 'blocks.0.0.conv_s'),
        # Through **kwargs of two classes.
        (dict(type='ResNet3dSlowOnly', **NARROW), 'conv1.conv'),
        (
            dict(type='UniFormer', depth=[1] * 4, embed_dim=[8, 8, 16, 16], head_dim=8),
            'patch_embed1.proj',
        ),
    ],
)
def test_channels_follow_from_the_input(config, first):
    assert build_backbone(config, 79).get_submodule(first).in_channels == 79


def test_what_the_config_says_is_kept():
    net = build_backbone(dict(type='S3D', width=0.125, in_channels=17), 79)
    assert net.in_channels == 17


def test_no_image_weights_unless_they_are_named():
    swin = dict(
        type='SwinTransformer3D',
        arch=dict(embed_dims=8, depths=[1], num_heads=[1]),
        out_indices=(0,),
    )
    assert not build_backbone(swin, 3).pretrained2d
    assert build_backbone(swin | dict(pretrained='weights.pth'), 3).pretrained2d
    # A class that insists on the argument.
    csn = dict(type='ResNet3dCSN', depth=50, **NARROW)
    assert build_backbone(csn, 3).pretrained is None


def test_a_class_without_such_arguments():
    @MODELS.register_module(force=True)
    class Plain(nn.Conv3d):
        def __init__(self):
            super().__init__(3, 4, 3)

    assert isinstance(build_backbone(dict(type='Plain'), 3), Plain)


def test_unknown_type():
    with pytest.raises(KeyError, match='NoSuchNetwork'):
        build_backbone(dict(type='NoSuchNetwork'), 3)
