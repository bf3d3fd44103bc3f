"""Any backbone in either stream, connected anywhere."""

from __future__ import annotations

import pytest
import torch
import torch.nn as nn
from tiny_models import GLOSSES, HEAD, network_inputs, sample, stream, two_stream

from mmsign.errors import ConfigError
from mmsign.models import SignRecognizer
from mmsign.registry import MODELS

SWIN = dict(
    type='SwinTransformer3D',
    arch=dict(embed_dims=8, depths=[1, 1, 1], num_heads=[1, 2, 4]),
    out_indices=(2,),
    window_size=(2, 3, 3),
)
SLOWONLY = dict(type='ResNet3dSlowOnly', base_channels=4, stage_blocks=(1, 1, 1, 1))
RESNET = dict(type='ResNet', depth=18)


@MODELS.register_module(force=True)
class TwoLayers(nn.Module):
    """What a user writes."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv3d(in_channels, 6, 3, stride=(2, 4, 4), padding=1)
        self.second = nn.Conv3d(6, 8, 3, stride=2, padding=1)

    def stages(self):
        return [self.first, self.second]

    def forward(self, x):
        return self.second(self.first(x))


@MODELS.register_module(force=True)
class OneLayer(nn.Conv3d):
    """The same without stages."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__(in_channels, 8, 5, stride=(4, 8, 8), padding=2)


def part(backbone, **kwargs) -> dict:
    return dict(backbone=backbone, head=dict(HEAD), **kwargs)


def bilateral(*stages, kind: str = 'BilateralNeck') -> dict:
    return dict(type=kind, stages=stages)


S3D = stream(0)['backbone']
del S3D['in_channels']
COMPOSITIONS = dict(
    users_video=(part(dict(type='TwoLayers')), part(S3D), bilateral((0, 1), (1, 2))),
    users_keypoint=(part(S3D), part(dict(type='TwoLayers')), bilateral((1, 0))),
    users_single_stage=(part(dict(type='OneLayer')), part(S3D), bilateral((0, 3))),
    unequal_counts=(
        part(SLOWONLY, output_stride=4),
        part(S3D),
        bilateral((0, 1), (4, 3), kind='PointwiseBilateralNeck'),
    ),
    frames=(
        part(RESNET, output_stride=4),
        part(S3D),
        bilateral((1, 1), (3, 2), kind='SeparableBilateralNeck'),
    ),
    transformer=(part(SWIN, output_stride=4), part(S3D), bilateral((1, 0), (2, 1))),
    both_other=(
        part(SWIN, output_stride=2),
        part(SLOWONLY, output_stride=2),
        bilateral((0, 0), (3, 2)),
    ),
)


@pytest.mark.parametrize('name', COMPOSITIONS)
def test_it_trains_and_predicts(name):
    video, keypoint, connections = COMPOSITIONS[name]
    net = two_stream(
        video=video, keypoint=keypoint, bilateral=connections, pyramid=None
    ).train()
    net.init_weights()
    losses = net(network_inputs(), [sample(16), sample(12)], mode='loss')
    sum(losses.values()).backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None]
    assert not silent
    net.eval()
    with torch.no_grad():
        predicted = net(network_inputs(), [sample(16), sample(12)], mode='predict')
        out = net(network_inputs())
    assert set(predicted[0].predictions) == {'video', 'keypoint', 'joint', 'average'}
    assert out['lengths'].tolist() == [16 // net.output_stride] * 2


@pytest.mark.parametrize('network', ['STGCN', 'AAGCN'])
def test_a_graph_on_the_keypoints_themselves(network):
    graph = dict(type=network, base_channels=8, num_stages=4)
    graph |= dict(inflate_stages=[2, 3], down_stages=[2, 3])
    sizes = dict(video_size=32, keypoint_input='points')
    changes = dict(
        keypoint=part(graph), pyramid=None, bilateral=None, data_preprocessor=sizes
    )
    net = two_stream(**changes)
    assert net.keypoint.backbone.graph.num_node == 79
    inputs = dict(video=network_inputs()['video'], points=torch.randn(2, 3, 16, 79, 1))
    losses = net(inputs, [sample(16), sample(12)], mode='loss')
    sum(losses.values()).backward()
    assert not [n for n, p in net.named_parameters() if p.grad is None]
    with pytest.raises(ValueError, match='bilateral connections need maps in both'):
        two_stream(**changes | dict(bilateral=bilateral(0)))


def test_chosen_keypoints_decide_channels_and_graph():
    sizes = dict(video_size=32, heatmap_size=32, keypoints=['hands', 'nose'])
    backbone = {key: value for key, value in S3D.items() if key != 'in_channels'}
    net = two_stream(data_preprocessor=sizes, keypoint=part(backbone))
    assert next(net.keypoint.backbone.parameters()).shape[1] == 43
    graph = dict(type='STGCN', base_channels=8, num_stages=2, inflate_stages=[2])
    net = two_stream(
        keypoint=part(graph | dict(down_stages=[2]), output_stride=4),
        data_preprocessor=sizes | dict(keypoint_input='points'),
        pyramid=None,
        bilateral=None,
    ).eval()
    assert net.keypoint.backbone.graph.num_node == 43
    inputs = dict(video=network_inputs()['video'], points=torch.randn(2, 3, 16, 43, 1))
    assert torch.isfinite(net(inputs)['keypoint']).all()


def test_connections_change_what_lies_behind_them():
    """A pair (i, j) is fused after these stages and before the next ones."""
    video, keypoint, connections = COMPOSITIONS['users_video']
    net = two_stream(
        video=video, keypoint=keypoint, bilateral=connections, pyramid=None
    ).eval()
    inputs = network_inputs()
    with torch.no_grad():
        features = net.encode(inputs)
        first, second = net.video.stages()
        k = net.keypoint.stages()
        v0, k1 = first(inputs['video']), k[1](k[0](inputs['heatmaps']))
        v0, k1 = net.bilateral((0, 1), v0, k1)
        v1, k2 = net.bilateral((1, 2), second(v0), k[2](k1))
    torch.testing.assert_close(features['video'], [v0, v1])
    torch.testing.assert_close(features['keypoint'][1:], [k1, k2, k[3](k2)])


def test_a_pyramid_over_any_backbone():
    net = two_stream(
        video=part(SWIN, output_stride=4, pyramid_head=dict(HEAD)),
        keypoint=part(S3D, pyramid=None),
        bilateral=None,
    )
    losses = net(network_inputs(), [sample(16), sample(16)], mode='loss')
    assert {k for k in losses if 'pyramid' in k} == {
        'loss_ctc_video_pyramid0',
        'loss_ctc_video_pyramid1',
    }


def test_lengths_that_the_strides_do_not_divide():
    net = two_stream(
        video=part(SLOWONLY, output_stride=4), bilateral=None, pyramid=None
    ).eval()
    inputs = {key: x[:, :, :13] for key, x in network_inputs().items()}
    with torch.no_grad():
        out = net(inputs, [sample(13), sample(9)])
    # SlowOnly gives ⌈13/4⌉ steps, S3D as well; valid are ⌊length·4/13⌋.
    assert out['video'].shape[1] == out['keypoint'].shape[1] == 4
    assert out['lengths'].tolist() == [4, 2]


@pytest.mark.slow
def test_channels_last_with_a_network_for_frames():
    sizes = dict(video_size=32, heatmap_size=32)
    nets = [
        two_stream(
            video=part(RESNET, output_stride=4),
            bilateral=bilateral((1, 1)),
            pyramid=None,
            data_preprocessor=sizes | dict(memory_format=layout),
        ).eval()
        for layout in ('contiguous', 'channels_last_3d')
    ]
    nets[1].load_state_dict(nets[0].state_dict())
    with torch.no_grad():
        plain, last = (net(network_inputs())['joint'] for net in nets)
    torch.testing.assert_close(plain, last, rtol=1e-3, atol=1e-4)


def test_points_of_one_clip_are_never_laid_out_as_frames():
    """Backward would read beyond them, and end the process."""
    backbone = dict(type='MSKA', channels=(8, 12), strides=(2, 2), subsets=2)
    layout = dict(keypoint_input='masked_points', memory_format='channels_last_3d')
    net = SignRecognizer(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=layout,
        keypoint=dict(backbone=backbone, head=dict(type='GroupHead')),
    )
    assert net.keypoint.laid_out(torch.randn(1, 4, 16, 79, 1)).is_contiguous()
    inputs = dict(masked_points=torch.randn(1, 4, 16, 79, 1))
    sum(net(inputs, [sample(16)], mode='loss').values()).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


REFUSED = dict(
    stage_that_does_not_exist=(dict(bilateral=bilateral(0, 4)), 'bilateral.*stage 4'),
    channels=(
        dict(keypoint=part(S3D | dict(in_channels=17))),
        'keypoint stream.*S3D.*79.*17',
    ),
    channels_that_cannot_be_chosen=(
        dict(keypoint=part(dict(type='MobileNetV2'))),
        'keypoint stream.*79.*takes 3',
    ),
    equal_strides=(
        dict(
            video=part(SLOWONLY, output_stride=4),
            bilateral=None,
            pyramid=dict(type='SignPyramid', levels=5),
            keypoint=part(S3D, pyramid=None),
        ),
        r'pyramid.*\(8, 8\)',
    ),
    different_ends=(
        dict(video=part(SLOWONLY), bilateral=None, pyramid=None),
        'video.*1.*keypoint.*4.*output_stride',
    ),
    impossible_stride=(
        dict(video=part(S3D, output_stride=3), bilateral=None, pyramid=None),
        'output_stride=3',
    ),
    not_five_dimensional=(
        dict(video=part(dict(type='ImageOnly')), bilateral=None, pyramid=None),
        'ImageOnly.*FramewiseBackbone',
    ),
)


@MODELS.register_module(force=True)
class ImageOnly(nn.Conv2d):
    """A network for images without adapter."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__(in_channels, 8, 3)


@pytest.mark.parametrize('name', REFUSED)
def test_bad_input_is_refused_in_one_sentence(name):
    changes, message = REFUSED[name]
    with pytest.raises(ConfigError, match=message) as refused:
        two_stream(**changes)
    assert '\n' not in str(refused.value)
