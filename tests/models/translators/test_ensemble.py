"""Networks trained apart, V, K and J, translating together."""

from __future__ import annotations

import pytest
import torch
from tiny_mbart import mbart_config
from tiny_models import GLOSSES, network_inputs
from tiny_translators import build_translator, recognizer_config, samples

from mmsign import compat
from mmsign.models import TranslatorEnsemble

HEADS = {
    name: dict(mbart=mbart_config(beam_width=2))
    for name in ('video', 'keypoint', 'joint')
}
TRANSLATOR = dict(
    type='SignTranslator', recognizer=recognizer_config(), translation=HEADS
)


def build(**checkpoints) -> TranslatorEnsemble:
    return TranslatorEnsemble(dict(glosses=GLOSSES), TRANSLATOR, checkpoints).eval()


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory, translator):
    """Three checkpoints of one network, each with one head."""
    folder = tmp_path_factory.mktemp('members')
    paths = {}
    for name in HEADS:
        state = {
            key: value
            for key, value in translator.state_dict().items()
            if key.startswith((f'translation.{name}.', 'recognizer.'))
        }
        paths[name] = str(folder / f'{name}.pth')
        compat.write_checkpoint(dict(state_dict=state), paths[name])
    return paths


def test_members_apart_are_what_they_are_together(checkpoints, translator, pooled):
    ensemble = build(**checkpoints)
    expected = translator(pooled, samples(), 'predict')
    found = ensemble(pooled, samples(), 'predict')
    for a, b in zip(expected, found, strict=True):
        assert a.translations == b.translations
        assert a.predictions == b.predictions
    assert ensemble.network_fingerprint() == translator.network_fingerprint()


def test_equal_backbones_run_once(checkpoints, monkeypatch):
    ensemble, calls = build(**checkpoints), []
    for member in ensemble.members.values():
        encode = member.recognizer.encode
        monkeypatch.setattr(
            member.recognizer, 'encode', lambda x, f=encode: calls.append(1) or f(x)
        )
    ensemble(network_inputs(), samples(), 'predict')
    assert len(calls) == 1


def test_seeds_of_one_head(checkpoints, tmp_path):
    torch.manual_seed(9)
    other = build_translator('video')
    torch.nn.init.normal_(other.recognizer.video.backbone.blocks[0][0].conv_s.weight)
    folder = tmp_path / 'work'
    folder.mkdir()
    compat.write_checkpoint(dict(state_dict=other.state_dict()), folder / 'best_1.pth')
    ensemble = build(video=[checkpoints['video'], str(folder)], joint=[])
    found = ensemble(network_inputs(), samples(), 'predict')
    assert list(found[0].translations) == ['video', 'video_2', 'ensemble']
    with pytest.raises(ValueError, match='have different frozen networks'):
        ensemble.network_fingerprint()


def test_faults(checkpoints, tmp_path, pooled):
    with pytest.raises(ValueError, match='no members: name their checkpoints'):
        build()
    with pytest.raises(ValueError, match="output 'hands', the translator has heads"):
        build(hands='x.pth')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        build(video=str(tmp_path / 'no.pth'))
    with pytest.raises(FileNotFoundError, match='train it first'):
        build(video=str(tmp_path))
    with pytest.raises(ValueError, match='does not fit the translator'):
        build(video=checkpoints['joint'])
    with pytest.raises(ValueError, match="only predicts, mode 'loss'"):
        build(video=checkpoints['video'])(pooled, samples(), 'loss')
