from __future__ import annotations

import re
import sys

import pytest
import torch
from mmengine.config import Config
from tiny_models import network_inputs
from tiny_run import TOOLS, load_tool

from mmsign.errors import CheckpointError
from mmsign.interop.vac_checkpoint import convert_vac, is_vac_state
from mmsign.models import SignRecognizer
from mmsign.models.weights import load_backbone

sys.path.insert(0, str(TOOLS / 'convert'))
convert = load_tool('convert/slrt_checkpoint')
# Of development and test split too: training never saw the last.
GLOSSES = ['NORD', 'REGEN', 'SONNE', 'UNGESEHEN']
CONFIG = """
model = dict(
    type='SingleStreamRecognizer',
    vocab=dict(dataset='Phoenix2014Dataset', data_root='nowhere'),
    data_preprocessor=dict(video_size=32),
    video=dict(
        backbone=dict(
            type='ResNet', depth=18, num_stages=1, out_indices=(0,), strides=(1,),
            dilations=(1,)),
        head=dict(type='TemporalConvLSTMHead', hidden_channels=8, {head})))
"""
KINDS = {
    'vac': "classifier='linear', share_classifier=False",
    'smkd': "classifier='normalised', share_classifier=True",
}


def network(tmp_path, kind: str) -> tuple[Config, SignRecognizer]:
    path = tmp_path / f'{kind}.py'
    path.write_text(CONFIG.format(head=KINDS[kind]), encoding='utf-8')
    cfg = Config.fromfile(path)
    torch.manual_seed(0)
    model = dict(cfg.model, vocab=dict(glosses=GLOSSES))
    model.pop('type')
    return cfg, SignRecognizer(**model).eval()


def published(net: SignRecognizer) -> dict[str, torch.Tensor]:
    """A network's tensors as the repositories write them."""
    state = {}
    for name, value in net.state_dict().items():
        part, inside = re.fullmatch(r'video\.(backbone|head)\.(.+)', name).groups()
        if part == 'backbone':
            inside = re.sub(r'conv(\d)\.conv\.', r'conv\1.', inside)
            state['conv2d.' + re.sub(r'conv(\d)\.bn\.', r'bn\1.', inside)] = value
            continue
        inside = re.sub(
            r'(convolutions|norms)\.(\d)',
            lambda m: 'conv1d.temporal_conv.' + str(4 * int(m[2]) + (m[1] == 'norms')),
            inside,
        )
        inside = inside.replace('lstm.', 'temporal_model.rnn.')
        inside = inside.replace('convolution_classifier', 'conv1d.fc')
        if net.video.head.convolution_classifier is None and 'classifier' in inside:
            state['classifier.weight'] = state['conv1d.fc.weight'] = value.t()
        else:
            state[inside] = value
    return state


@pytest.mark.parametrize('kind', KINDS)
def test_every_tensor_finds_its_place(tmp_path, kind):
    _, net = network(tmp_path, kind)
    theirs = published(net)
    assert is_vac_state(theirs) and not is_vac_state(net.state_dict())
    converted = convert_vac(theirs)
    state = net.state_dict()
    assert converted.tensors.keys() == state.keys()
    for name, value in converted.tensors.items():
        assert torch.equal(value, state[name]), name
    shared = kind == 'smkd'
    assert list(converted.left_out) == ['conv1d.fc.weight'] * shared


def test_what_is_not_of_the_network_is_said(tmp_path):
    theirs = published(network(tmp_path, 'vac')[1])
    theirs['loss.dummy'] = torch.zeros(1)
    assert 'loss.dummy' in convert_vac(theirs).left_out
    theirs['conv1d.main_temporal_conv.0.weight'] = torch.zeros(1)
    with pytest.raises(CheckpointError, match='are both'):
        convert_vac(theirs)


@pytest.mark.slow
def test_the_tool_brings_glosses_that_training_never_saw(tmp_path, capsys):
    cfg, net = network(tmp_path, 'smkd')
    torch.save(dict(model_state_dict=published(net)), tmp_path / 'vac.pt')
    (tmp_path / 'glosses.txt').write_text('\n'.join(GLOSSES), encoding='utf-8')
    files = str(tmp_path / 'vac.pt'), str(tmp_path / 'ours.pth')
    glosses = '--vocab', str(tmp_path / 'glosses.txt')
    convert.main([*files, '--config', str(cfg.filename), *glosses])
    assert 'conv1d.fc.weight (one with classifier)' in capsys.readouterr().out
    found = torch.load(files[1], weights_only=True)
    assert found['meta']['gloss_vocab'] == GLOSSES
    written = Config.fromstring(found['meta']['cfg'], '.py').model
    written.pop('type')
    other = SignRecognizer(**written)
    other.load_state_dict(found['state_dict'], strict=True)
    inputs = dict(video=network_inputs()['video'])
    with torch.no_grad():
        assert torch.equal(other.eval()(inputs)['video'], net(inputs)['video'])
    with pytest.raises(SystemExit):
        convert.main([*files, *glosses])
    assert '--config' in capsys.readouterr().err


def test_imagenets_names_are_known(tmp_path):
    """A backbone's ``pretrained`` may be torchvision's ResNet."""
    _, net = network(tmp_path, 'vac')
    theirs = {
        name.removeprefix('conv2d.'): value + 1
        for name, value in published(net).items()
        if name.startswith('conv2d.')
    }
    theirs['fc.weight'] = torch.zeros(1000, 64)
    torch.save(theirs, tmp_path / 'resnet.pth')
    before = {k: v.clone() for k, v in net.video.backbone.state_dict().items()}
    load_backbone(net.video.backbone, str(tmp_path / 'resnet.pth'))
    for name, value in net.video.backbone.state_dict().items():
        torch.testing.assert_close(value, before[name] + 1)
