"""Recognition and translation in one network, from frames and from features."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from tiny_mbart import mbart_config
from tiny_models import GLOSSES, network_inputs, sample, single_stream, two_stream
from tiny_translators import build_translator, recognizer_config, samples

from mmsign import compat
from mmsign.errors import CheckpointError, ConfigError
from mmsign.models import GlossToText
from mmsign.models.translators.sign_translator import (
    FeaturePreprocessor,
    fingerprint,
    freeze,
    is_features,
)

TERMS = {
    f'loss_{kind}_{name}'
    for kind in ('ctc', 'distill', 'translation')
    for name in ('video', 'keypoint', 'joint')
}


@pytest.mark.slow
def test_cached_features_give_what_frames_give(translator, pooled):
    from_frames = translator(network_inputs(), samples(), 'predict')
    from_features = translator(pooled, samples(), 'predict')
    for a, b in zip(from_frames, from_features, strict=True):
        assert a.predictions == b.predictions
        assert a.translations == b.translations
        assert list(a.translations) == ['video', 'keypoint', 'joint', 'ensemble']
    losses = [translator(x, samples(), 'loss') for x in (network_inputs(), pooled)]
    assert set(losses[0]) == TERMS
    for name in TERMS:
        torch.testing.assert_close(losses[0][name], losses[1][name])


@pytest.mark.slow
def test_the_loss_is_weighted():
    plain = build_translator('video').eval()
    weights = dict(recognition_weight=0.5, translation_weight=2.0)
    weighted = build_translator('video', **weights).eval()
    one, other = (m(network_inputs(), samples(), 'loss') for m in (plain, weighted))
    for name, weight in (('loss_ctc_joint', 0.5), ('loss_translation_video', 2.0)):
        torch.testing.assert_close(other[name], weight * one[name])


def test_only_heads_and_translation_are_trained(pooled):
    network = build_translator('keypoint', 'joint').train()
    sum(network(pooled, samples(), 'loss').values()).backward()
    trained = {n for n, p in network.named_parameters() if p.grad is not None}
    assert not any('backbone' in name or 'bilateral' in name for name in trained)
    for part in ('recognizer.joint_head', 'translation.joint.mapper'):
        assert any(name.startswith(part) for name in trained)
    # Their statistics do not move either.
    assert not network.recognizer.video.backbone.training
    assert network.recognizer.video.head.training
    assert network.translation['joint'].training
    assert not any(module.training for module in network.eval().modules())


@pytest.mark.slow
def test_everything_can_be_trained():
    pyramid = dict(type='SignPyramid', levels=3, norm_momentum=0.1)
    recognizer = recognizer_config(pyramid=pyramid)
    network = build_translator('joint', recognizer=recognizer, freeze_backbone=False)
    losses = network.train()(network_inputs(), samples(), 'loss')
    assert any('pyramid' in name for name in losses)
    sum(losses.values()).backward()
    for name, parameter in network.named_parameters():
        if 'backbone' in name or 'pyramid' in name:
            assert parameter.grad is not None, name
    needed = network.required_state()
    assert not any('pyramid' in key for key in needed)
    for part in ('translation.joint.mbart', 'recognizer.joint_head'):
        assert any(part in key for key in needed)
    features = dict(video_features=torch.rand(1, 2, 3))
    with pytest.raises(ConfigError, match='freeze_backbone'):
        network(features, samples(), 'loss')


def test_learning_rates_per_part(translator):
    # mBART's output layer is its embedding once more, hence bypass_duplicate.
    paramwise = dict(custom_keys={'mbart': dict(lr_mult=0.01)}, bypass_duplicate=True)
    config = dict(optimizer=dict(type='Adam', lr=1e-3), paramwise_cfg=paramwise)
    groups = build_optim_wrapper(translator, config).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    for name, parameter in translator.named_parameters():
        if parameter.requires_grad:
            assert rates[id(parameter)] == (1e-5 if '.mbart.' in name else 1e-3), name


@pytest.mark.slow
def test_starts_from_a_recognizer_and_gloss_to_text(tmp_path):
    recognizer = two_stream()
    meta = dict(gloss_vocab=GLOSSES)
    slr, g2t = str(tmp_path / 'slr.pth'), str(tmp_path / 'g2t.pth')
    compat.write_checkpoint(dict(meta=meta, state_dict=recognizer.state_dict()), slr)
    torch.manual_seed(8)
    glosses = GlossToText(dict(glosses=GLOSSES), mbart_config())
    compat.write_checkpoint(dict(meta=meta, state_dict=glosses.state_dict()), g2t)
    head = dict(mbart=mbart_config(), g2t_checkpoint=g2t)
    network = build_translator(
        'joint', translation=dict(joint=head), recognizer_checkpoint=slr
    )
    network.init_weights()
    state = network.state_dict()
    for key, value in recognizer.required_state().items():
        assert torch.equal(state[f'recognizer.{key}'], value), key
    for key, value in glosses.state_dict().items():
        assert torch.equal(state[f'translation.joint.{key}'], value), key
    wrong = dict(gloss_vocab=[*GLOSSES[1:], GLOSSES[0]])
    compat.write_checkpoint(dict(meta=wrong, state_dict=recognizer.state_dict()), slr)
    with pytest.raises(CheckpointError, match='slr.pth'):
        network.init_weights()


def test_features_of_another_network_are_told_apart(translator, pooled):
    assert translator.network_fingerprint() == fingerprint(translator.recognizer)
    wrong = dict(pooled, video_features=pooled['video_features'][..., 1:])
    with pytest.raises(ConfigError, match='video'):
        translator(wrong, samples(), 'predict')


@pytest.mark.slow
def test_faults():
    one, other = (dict(mbart=mbart_config(language=x)) for x in ('de_DE', 'zh_CN'))
    for heads, name in (
        (dict(video=one, hands=one), 'hands'),
        ({}, 'no output'),
        (dict(video=one, joint=other), 'joint .*zh_CN'),
    ):
        with pytest.raises(ConfigError, match=name):
            build_translator(translation=heads)


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
    assert list(network.heads.values()) == [
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
