import pytest
import torch
from tiny_models import HEAD, s3d

from mmsign.models.streams import Stream, is_training_only, stream_modules

SHAPE = (3, (32, 32))


def build(**kwargs) -> Stream:
    return Stream('video', 5, SHAPE, backbone=s3d(3), head=dict(HEAD), **kwargs)


def test_head_and_pyramid_follow_from_the_backbone():
    stream = build(pyramid=dict(type='SignPyramid'), pyramid_head=dict(HEAD))
    assert stream.head.fc.in_features == stream.backbone.out_channels
    assert stream.head.classifier.out_features == 5
    widths = [head.fc.in_features for head in stream.pyramid_head.heads]
    assert widths == [info.channels for info in stream.stage_info[1:3]]
    assert stream.pyramid_head.loss_weight == 0.2


def test_training_only_keys():
    assert is_training_only('video.pyramid.upsample.0.conv_s.weight')
    assert is_training_only('keypoint.pyramid_head.heads.0.fc.weight')
    assert not is_training_only('video.head.fc.weight')
    assert not is_training_only('joint_head.fc.weight')


def test_stream_modules_order(full_network):
    assert list(stream_modules(full_network)) == ['video', 'keypoint']


def test_a_pyramid_head_without_pyramid_is_refused():
    with pytest.raises(ValueError, match='pyramid_head but the model no pyramid'):
        build(pyramid_head=dict(HEAD))


def test_a_checkpoint_without_its_pyramid_is_enough(tmp_path):
    source = build()
    state = {f'video.{k}': v for k, v in source.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    target = build(
        pyramid=dict(type='SignPyramid'),
        pyramid_head=dict(HEAD),
        checkpoint=str(path),
    )
    target.init_weights()
    torch.testing.assert_close(
        target.backbone.state_dict(), source.backbone.state_dict()
    )


def test_a_checkpoint_of_another_vocabulary_is_refused(tmp_path):
    source = Stream('video', 9, SHAPE, backbone=s3d(3), head=dict(HEAD))
    state = {f'video.{k}': v for k, v in source.state_dict().items()}
    path = tmp_path / 'stage1.pth'
    torch.save(dict(state_dict=state), path)
    with pytest.raises(ValueError, match='classifier'):
        build(checkpoint=str(path)).init_weights()
