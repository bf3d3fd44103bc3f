import pytest
import torch
import torch.nn as nn
from tiny_models import HEAD, SIZES, s3d

from mmsign.errors import CheckpointError, ConfigError
from mmsign.models import SignDataPreprocessor
from mmsign.models.recognizers.stream import Stream, build_backbone, is_auxiliary
from mmsign.registry import MODELS
from mmsign.vocab import GlossVocabulary

INPUTS = SignDataPreprocessor(**SIZES)
VOCAB = GlossVocabulary('ABCD')
NARROW = dict(base_channels=4, stage_blocks=(1, 1, 1, 1))


def build(**kwargs) -> Stream:
    return Stream('video', VOCAB, INPUTS, backbone=s3d(3), head=dict(HEAD), **kwargs)


def test_head_and_pyramid_follow_from_the_backbone():
    stream = build(pyramid=dict(type='SignPyramid'), pyramid_head=dict(HEAD))
    assert stream.head.fc.in_features == stream.backbone.out_channels
    assert stream.head.classifier.out_features == 5
    widths = [head.fc.in_features for head in stream.pyramid_head.heads]
    assert widths == [info.channels for info in stream.stage_info[1:3]]
    assert stream.pyramid_head.loss_weight == 0.2


def test_auxiliary_keys():
    assert is_auxiliary('video.pyramid.upsample.0.conv_s.weight')
    assert is_auxiliary('keypoint.pyramid_head.heads.0.fc.weight')
    assert not is_auxiliary('video.head.fc.weight')
    assert not is_auxiliary('joint_head.fc.weight')


def test_a_pyramid_head_without_pyramid_is_refused():
    with pytest.raises(ConfigError, match='pyramid_head'):
        build(pyramid_head=dict(HEAD))


@pytest.mark.parametrize('wanted', [3, 6, 0, -4])
def test_an_output_stride_that_does_not_fit_is_refused(wanted):
    with pytest.raises(ConfigError, match=f'video.output_stride={wanted}'):
        build(output_stride=wanted)


def test_a_checkpoint_without_its_pyramid_is_enough(tmp_path):
    source = build()
    state = {f'video.{k}': v for k, v in source.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    target = build(
        pyramid=dict(type='SignPyramid'), pyramid_head=dict(HEAD), checkpoint=str(path)
    )
    target.init_weights()
    torch.testing.assert_close(
        target.backbone.state_dict(), source.backbone.state_dict()
    )


def test_a_checkpoint_of_another_vocabulary_is_refused(tmp_path):
    source = Stream(
        'video', GlossVocabulary('ABCDEFGH'), INPUTS, backbone=s3d(3), head=dict(HEAD)
    )
    state = {f'video.{k}': v for k, v in source.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    with pytest.raises(CheckpointError, match='classifier'):
        build(checkpoint=str(path)).init_weights()


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


def test_an_unknown_type_of_backbone():
    with pytest.raises(KeyError, match='NoSuchNetwork'):
        build_backbone(dict(type='NoSuchNetwork'), 3)
