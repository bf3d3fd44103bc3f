"""Recognition and translation in one network, from frames and from features."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from tiny_mbart import mbart_config
from tiny_models import GLOSSES, HEAD, network_inputs, two_stream
from tiny_translators import build_translator, recognizer_config, samples

from mmsign import compat
from mmsign.models import GlossToText
from mmsign.models.translators.pooled_features import fingerprint

TERMS = {
    f'loss_{kind}_{name}'
    for kind in ('ctc', 'distill', 'translation')
    for name in ('video', 'keypoint', 'joint')
}


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


def test_the_loss_is_weighted():
    plain = build_translator('video').eval()
    weighted = build_translator(
        'video', recognition_weight=0.5, translation_weight=2.0
    ).eval()
    inputs = network_inputs()
    one, other = (m(inputs, samples(), 'loss') for m in (plain, weighted))
    torch.testing.assert_close(other['loss_ctc_joint'], 0.5 * one['loss_ctc_joint'])
    torch.testing.assert_close(
        other['loss_translation_video'], 2 * one['loss_translation_video']
    )


def test_only_heads_and_translation_are_trained(pooled):
    network = build_translator('keypoint', 'joint').train()
    sum(network(pooled, samples(), 'loss').values()).backward()
    trained = {n for n, p in network.named_parameters() if p.grad is not None}
    parts = {name.split('.backbone')[0].rsplit('.head', 1)[0] for name in trained}
    assert not any('backbone' in name or 'bilateral' in name for name in trained)
    assert any(name.startswith('recognizer.joint_head') for name in trained)
    assert any(name.startswith('translation.joint.mapper') for name in trained)
    assert parts
    # Their statistics do not move either.
    assert not network.recognizer.video.backbone.training
    assert network.recognizer.video.head.training
    assert network.translation['joint'].training


def test_everything_can_be_trained():
    network = build_translator(
        'joint',
        recognizer=recognizer_config(
            pyramid=dict(type='SignPyramid', levels=3, norm_momentum=0.1)
        ),
        freeze_backbone=False,
    ).train()
    losses = network(network_inputs(), samples(), 'loss')
    assert {k for k in losses if 'pyramid' in k}
    sum(losses.values()).backward()
    assert all(
        p.grad is not None
        for n, p in network.named_parameters()
        if 'backbone' in n or 'pyramid' in n
    )
    features = dict(video_features=torch.rand(1, 2, 3))
    with pytest.raises(ValueError, match='cached features\\s+leave out'):
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
    with pytest.raises(ValueError, match='another vocabulary, of 4 glosses'):
        network.init_weights()


def test_features_of_another_network_are_told_apart(translator, pooled):
    assert translator.network_fingerprint() == fingerprint(translator.recognizer)
    wrong = dict(pooled, video_features=pooled['video_features'][..., 1:])
    with pytest.raises(ValueError, match='extract them with this recognizer'):
        translator(wrong, samples(), 'predict')


def test_what_a_checkpoint_must_hold(translator):
    pyramid = recognizer_config(pyramid=dict(type='SignPyramid', levels=3))
    full = build_translator('video', recognizer=pyramid)
    needed = full.required_state()
    assert not any('pyramid' in key for key in needed)
    assert any('translation.video.mbart' in key for key in needed)
    assert any('recognizer.joint_head' in key for key in needed)


def test_faults(tmp_path):
    with pytest.raises(ValueError, match=r"heads for \['hands'\]; .* video, keypoint"):
        build_translator('video', 'hands')
    with pytest.raises(ValueError, match='heads for no output'):
        build_translator()
    one = dict(mbart=mbart_config())
    other = dict(mbart=mbart_config(language='zh_CN'))
    with pytest.raises(ValueError, match='different text vocabularies or languages'):
        build_translator(translation=dict(video=one, joint=other))
    assert HEAD['hidden_channels'] == 16
