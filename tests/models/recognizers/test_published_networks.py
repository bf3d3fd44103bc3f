"""CorrNet and SlowFastSign, whole, against the numbers of their authors' code.

Half a minute each: they run where MMSIGN_PEERS names a folder of such files. The
backbones' own tests look at a clip's features.
"""

from __future__ import annotations

import pytest
import torch
from peer_files import OTHER_SEEDS, PeerFile, peer_files, peer_state, scaled
from stage_outputs import paths, stage_outputs

from mmsign.interop.vac_checkpoint import convert_vac
from mmsign.models import SignRecognizer
from mmsign.models.necks.pyramid import pool_space

BACKBONES = dict(corrnet='CorrNet', slowfastsign='BidirectionalSlowFast')
HEADS = dict(corrnet='TemporalConvLSTMHead', slowfastsign='PathwayTemporalHead')
FILES = [
    (what, path)
    for what in BACKBONES
    for variant in (what, f'{what}_scaled')
    for path in peer_files(variant)
]


def as_published(what: str, path) -> tuple[PeerFile, SignRecognizer, dict]:
    """The numbers, the network with their weights, our names for theirs."""
    file = PeerFile(path)
    state = peer_state(what, file.seed)
    converted = convert_vac(scaled(state) if 'scaled' in path.stem else state)
    head = dict(
        type=HEADS[what],
        dropout=0.0,
        count_padding=True,
        distillation=dict(type='TemperatureDistillationLoss', loss_weight=25.0),
    )
    glosses = [f'g{i}' for i in range(1, int(file.expected['num_classes']))]
    net = SignRecognizer(
        vocab=dict(glosses=glosses),
        video=dict(backbone=dict(type=BACKBONES[what]), head=head),
    )
    net.load_state_dict(converted.tensors, strict=True)
    return file, net, {theirs: ours for ours, theirs in converted.sources.items()}


@pytest.fixture
def exact_batch_norms(monkeypatch) -> None:
    """Where the channels lie last, a CPU adds up the values of a batch norm in float32
    one after the other: of 700,000 it is off by 1e-4, behind a hundred layers by more
    than the published code, whose channels lie first."""
    normalise = torch.native_batch_norm

    def exact(x, *settings):
        return normalise(x.contiguous(), *settings)

    monkeypatch.setattr(torch, 'native_batch_norm', exact)


@pytest.mark.slow
@pytest.mark.skipif(not OTHER_SEEDS, reason='MMSIGN_PEERS names no folder')
@pytest.mark.parametrize('training', [False, True], ids=['evaluation', 'training'])
@pytest.mark.parametrize(('what', 'path'), FILES, ids=lambda x: getattr(x, 'stem', x))
def test_agrees_with_the_published_network(what, path, training, exact_batch_norms):
    file, net, names = as_published(what, path)
    mode, expected = 'train_' * training, file.expected
    net.train(training)
    with torch.no_grad():
        # Its ends are held already.
        outputs = stage_outputs(net.video.backbone, file.frames())
        pooled = pool_space(outputs[-1])
        file.check_head(net.video.head, pooled)
    shown = slice(None)
    if training:
        shown = slice(64) if what == 'corrnet' else slice(None, None, 16)
    file.check(f'{mode}framewise', pooled.transpose(1, 2)[:, shown])
    found = dict(layer1=outputs[1])
    if what == 'slowfastsign':
        found = paths(outputs)
    for name, x in found.items():
        file.check(f'{mode}meanabs_{name}', x.double().abs().mean())
    state = net.state_dict()
    for name in expected:
        if name.startswith('train_conv2d.') and training:
            file.check(name, state[names[name.removeprefix('train_')]])
