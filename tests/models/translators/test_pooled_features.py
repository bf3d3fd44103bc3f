"""The frozen part of a translator; nothing here needs mBART."""

from __future__ import annotations

import copy

import pytest
import torch
from tiny_models import network_inputs, sample, single_stream, two_stream

from mmsign.models.translators.pooled_features import (
    FeaturePreprocessor,
    fingerprint,
    freeze,
    is_features,
    trained_heads,
)


@pytest.fixture(scope='module')
def network(full_network):
    """Every test may change its weights, and none expects certain ones."""
    return copy.deepcopy(full_network)


def test_features_are_told_from_frames_by_their_names():
    features = dict(video_features=torch.ones(1, 2, 3), keypoint_features=None)
    assert is_features(features)
    for inputs in (network_inputs(1, 4), {}, features | dict(video=None)):
        assert not is_features(inputs)


def test_features_are_padded_and_clips_left_to_the_recognizer(full_network):
    own = FeaturePreprocessor(full_network.data_preprocessor)
    rows = [torch.ones(3, 5), 2 * torch.ones(1, 5)]
    data = own(dict(inputs=dict(video_features=rows), data_samples=[1, 2]))
    expected = torch.tensor([[1.0, 1, 1], [2, 0, 0]])[..., None].expand(2, 3, 5)
    assert torch.equal(data['inputs']['video_features'], expected)
    assert data['data_samples'] == [1, 2]
    frames = torch.randint(0, 256, (3, 8, 32, 32), dtype=torch.uint8)
    data = dict(
        inputs=dict(video=[frames], keypoints=[torch.rand(8, 79, 3)]),
        data_samples=[sample(8)],
    )
    found = own(copy.deepcopy(data))['inputs']
    expected = full_network.data_preprocessor(data)['inputs']
    assert found.keys() == expected.keys() == {'video', 'heatmaps'}
    assert all(torch.equal(found[name], x) for name, x in expected.items())


@pytest.mark.parametrize(
    ('build', 'heads'),
    [
        (two_stream, ['video.head', 'keypoint.head', 'joint_head']),
        (lambda: two_stream(joint=None), ['video.head', 'keypoint.head']),
        (lambda: single_stream('keypoint'), ['keypoint.head']),
    ],
    ids=['joint', 'average', 'single'],
)
def test_all_but_the_heads_is_frozen(build, heads):
    network = build()
    assert list(trained_heads(network).values()) == [
        network.get_submodule(name) for name in heads
    ]
    freeze(network)
    for key, parameter in network.named_parameters():
        head = key.startswith(tuple(f'{name}.' for name in heads))
        assert parameter.requires_grad is head, key


BLOCK = 'backbone.blocks.0.0.bn_s'


@pytest.mark.parametrize(
    ('key', 'matters'),
    [
        ('video.backbone.blocks.0.0.conv_s.weight', True),
        (f'keypoint.{BLOCK}.bias', True),
        (f'keypoint.{BLOCK}.running_mean', True),
        (f'video.{BLOCK}.running_var', True),
        (f'video.{BLOCK}.num_batches_tracked', False),
        ('bilateral.to_video.2.weight', True),
        ('bilateral.to_keypoint.0.weight', True),
        ('video.head.fc.weight', False),
        ('keypoint.head.norm.running_mean', False),
        ('joint_head.classifier.bias', False),
        ('video.pyramid.upsample.0.conv_t.weight', False),
        ('keypoint.pyramid_head.heads.1.fc.bias', False),
    ],
)
def test_the_fingerprint_is_that_of_all_that_features_depend_on(network, key, matters):
    before = fingerprint(network)
    assert len(before) == 32
    with torch.no_grad():
        network.state_dict()[key].add_(1)
    assert (fingerprint(network) != before) is matters


def test_the_fingerprint_does_not_depend_on_where_and_how_weights_lie(network):
    before = fingerprint(network)
    network.to(memory_format=torch.channels_last_3d)
    assert fingerprint(network) == before
    assert fingerprint(network.double()) == before
