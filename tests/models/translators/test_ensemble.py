"""Networks trained apart, V, K and J, translating together."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import ConfigDict
from tiny_mbart import mbart_config
from tiny_models import GLOSSES, network_inputs
from tiny_translators import build_translator, recognizer_config, samples

from mmsign import compat
from mmsign.errors import CheckpointError, ConfigError
from mmsign.models import TranslatorEnsemble

HEADS = {
    name: dict(mbart=mbart_config(beam_width=2))
    for name in ('video', 'keypoint', 'joint')
}
TRANSLATOR = ConfigDict(
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
        parts = f'translation.{name}.', 'recognizer.'
        state = translator.state_dict().items()
        state = {key: value for key, value in state if key.startswith(parts)}
        paths[name] = str(folder / f'{name}.pth')
        compat.write_checkpoint(dict(state_dict=state), paths[name])
    return paths


@pytest.mark.slow
def test_members_apart_are_what_they_are_together(checkpoints, translator, pooled):
    ensemble = build(**checkpoints)
    expected = translator(pooled, samples(), 'predict')
    found = ensemble(pooled, samples(), 'predict')
    for a, b in zip(expected, found, strict=True):
        assert a.translations == b.translations
        assert a.predictions == b.predictions
    assert ensemble.network_fingerprint() == translator.network_fingerprint()


@pytest.mark.slow
def test_equal_networks_and_every_encoder_run_once(checkpoints, monkeypatch):
    ensemble, calls = build(**checkpoints), []
    for member in ensemble.members.values():
        for part in (member.recognizer, *member.mbarts.values()):
            run = part.encode
            monkeypatch.setattr(
                part, 'encode', lambda *x, run=run: calls.append(run) or run(*x)
            )
    ensemble(network_inputs(), samples(), 'predict')
    assert len(calls) == 1 + 3


@pytest.mark.slow
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
    with pytest.raises(ConfigError, match='different frozen networks'):
        ensemble.network_fingerprint()


@pytest.mark.slow
def test_faults(checkpoints, tmp_path, pooled):
    for error, name, members in (
        (ConfigError, 'model.checkpoints', {}),
        (ConfigError, "'hands'", dict(hands='x.pth')),
        (FileNotFoundError, 'no.pth', dict(video=str(tmp_path / 'no.pth'))),
        (FileNotFoundError, str(tmp_path), dict(video=str(tmp_path))),
        (CheckpointError, 'joint.pth', dict(video=checkpoints['joint'])),
    ):
        with pytest.raises(error, match=name):
            build(**members)
    with pytest.raises(ConfigError, match="'loss'"):
        build(video=checkpoints['video'])(pooled, samples(), 'loss')
