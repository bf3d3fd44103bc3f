import pytest
import torch
from tiny_models import HEAD, s3d

from mmsign.errors import CheckpointError, ConfigError
from mmsign.models.recognizers.stream import Stream, is_auxiliary
from mmsign.vocab import GlossVocabulary

SHAPE = (3, (32, 32))
VOCAB = GlossVocabulary('ABCD')


def build(**kwargs) -> Stream:
    return Stream('video', VOCAB, SHAPE, backbone=s3d(3), head=dict(HEAD), **kwargs)


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
        'video', GlossVocabulary('ABCDEFGH'), SHAPE, backbone=s3d(3), head=dict(HEAD)
    )
    state = {f'video.{k}': v for k, v in source.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    with pytest.raises(CheckpointError, match='classifier'):
        build(checkpoint=str(path)).init_weights()
