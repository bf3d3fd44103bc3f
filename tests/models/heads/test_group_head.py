"""Heads on groups of features, alone and as the outputs of a recognizer."""

from __future__ import annotations

import pytest
import torch
from tiny_models import GLOSSES, HEAD, sample

from mmsign.errors import ConfigError
from mmsign.models import GroupHead, SignRecognizer
from mmsign.models.heads.gloss_head import GlossHead
from mmsign.models.recognizers.stream import is_auxiliary

GROUPS = 'left', 'face', 'right', 'body'
SMALL = dict(type='MSKA', channels=(8, 8), strides=(2, 2), subsets=2)
OUTPUTS = [f'keypoint_{name}' for name in ('left', 'right', 'fuse', 'body')]


def network(**changes) -> SignRecognizer:
    torch.manual_seed(0)
    config = dict(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=dict(keypoint_input='masked_points', video_size=32),
        keypoint=dict(backbone=dict(SMALL), head=dict(type='GroupHead', **HEAD)),
    )
    return SignRecognizer(**(config | changes)).eval()


def batch(net: SignRecognizer, lengths=(16, 12), video: bool = False) -> dict:
    generator = torch.Generator().manual_seed(0)
    inputs = dict(
        keypoints=[torch.rand(n, 79, 3, generator=generator) * 64 for n in lengths]
    )
    if video:
        inputs['video'] = [
            torch.zeros(3, n, 32, 32, dtype=torch.uint8) for n in lengths
        ]
    samples = [sample(n, clip_id=f'clip{n}') for n in lengths]
    return net.data_preprocessor(dict(inputs=inputs, data_samples=samples))


def test_each_head_sees_its_groups():
    head = GroupHead(8, 5, groups=GROUPS, **HEAD)
    x = torch.arange(8.0).expand(1, 1, 8)
    assert {name: y.flatten().tolist() for name, y in head.inputs(x).items()} == dict(
        left=[0, 1, 2, 3],
        right=[4, 5, 2, 3],
        fuse=[0, 1, 2, 3, 4, 5, 6, 7],
        body=[6, 7],
    )


@pytest.mark.parametrize(
    ('settings', 'text'),
    [
        (dict(groups=('hands',)), "reads\\['left'\\].*\\('hands',\\)"),
        (dict(groups=()), "'left'.*none"),
        (dict(groups=GROUPS, reads=dict(some=())), "reads\\['some'\\]=\\(\\)"),
    ],
)
def test_a_head_needs_groups_that_are_there(settings, text):
    with pytest.raises(ConfigError, match=text):
        GroupHead(8, 5, **settings)


def test_a_backbone_without_groups_is_refused():
    keypoint = dict(backbone=dict(type='KeypointTCN'), head=dict(type='GroupHead'))
    with pytest.raises(ConfigError, match='GroupHead.*none'):
        network(keypoint=keypoint, data_preprocessor=dict(keypoint_input='points'))


def test_its_heads_are_outputs_and_their_average_the_ensemble():
    net = network(distillation=dict(type='SelfDistillationLoss'))
    assert list(net.heads) == OUTPUTS and net.output_stride == 4
    data = batch(net)
    with torch.no_grad():
        found = net(**data)
        clips = net(**data, mode='predict')
    assert list(found) == [*OUTPUTS, 'average', 'lengths']
    mean = sum(found[name].softmax(-1) for name in OUTPUTS) / 4
    torch.testing.assert_close(found['average'], mean)
    assert found['lengths'].tolist() == [4, 3]
    assert all({*OUTPUTS, 'average'} == set(clip.predictions) for clip in clips)
    assert not any(map(is_auxiliary, net.required_state()))
    net.train()
    losses = net(**data, mode='loss')
    assert set(losses) == {
        f'loss_{kind}_{name}' for kind in ('ctc', 'distill') for name in OUTPUTS
    }
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_one_output_has_nobody_to_learn_from():
    keypoint = dict(backbone=dict(SMALL), head=dict(HEAD))
    with pytest.raises(ConfigError, match='keypoint alone'):
        network(keypoint=keypoint, distillation=dict(type='SelfDistillationLoss'))
    # One head on all groups is fine otherwise.
    assert list(network(keypoint=keypoint).heads) == ['keypoint']


def test_beside_a_head_that_strides_itself():
    """Ends held for the video stream's head change nothing for the points."""
    temporal = dict(type='TemporalConvLSTMHead', hidden_channels=8)
    video = dict(backbone=dict(type='S3D', width=0.125), head=temporal, output_stride=1)
    net = network(video=video)
    data = batch(net, video=True)
    points = dict(masked_points=data['inputs']['masked_points'])
    assert net.keypoint.edge > 0
    with torch.no_grad():
        found = net(**data)
        del net.video
        net.keypoint.edge = 0
        alone = net(points, data['data_samples'])
    for name in OUTPUTS:
        for clip, steps in enumerate((4, 3)):
            ours, theirs = (x[name][clip, :steps] for x in (found, alone))
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('training', [False, True])
def test_padding_counts_where_it_is_asked_to(training):
    torch.manual_seed(0)
    head = GlossHead(7, 5, **HEAD, dropout=0.0, count_padding=True).train(training)
    state = {k: v.clone() for k, v in head.state_dict().items()}
    masked = GlossHead(7, 5, **HEAD, dropout=0.0).train(training)
    masked.load_state_dict(state)
    x, lengths = torch.randn(2, 6, 7), torch.tensor([6, 3])
    with torch.no_grad():
        counted, hidden = head(x, lengths).logits, masked(x, lengths).logits
    # Two convolutions of three steps: the last two of the short clip see behind it.
    same = torch.isclose(counted, hidden, atol=1e-5).all(-1)
    assert same[0].all() and same[1, 0] and not same[1, 1:3].any()
