"""A network rebuilt from the shapes of its own tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mmsign.errors import CheckpointError
from mmsign.interop.slrt_checkpoint import convert_recognizer
from mmsign.interop.slrt_network import (
    backbone_config,
    class_counts,
    recognizer_config,
    s3d_config,
)
from mmsign.models.layers.sequence import sinusoid
from mmsign.registry import MODELS

SHAPES = Path(__file__).parents[1] / 'data' / 'golden'


def published(kind: str) -> dict[str, torch.Tensor]:
    name = 'peers/mska_state_shapes' if kind == 'mska' else f'slrt_state_shapes_{kind}'
    shapes = json.loads((SHAPES / f'{name}.json').read_text())
    state = {
        name: torch.empty(shape, device='meta')
        for name, shape in shapes.items()
        if not name.endswith('pe.pe')
    }
    return convert_recognizer(state).tensors


@pytest.mark.parametrize(
    ('kind', 'parts'),
    [
        ('two', {'video', 'keypoint', 'bilateral', 'pyramid', 'joint'}),
        ('rgb', {'video'}),
        ('kp', {'keypoint'}),
    ],
)
def test_the_published_networks_are_recognised(kind, parts):
    tensors = published(kind)
    config = recognizer_config(tensors)
    assert parts <= set(config) <= parts | {'type', 'data_preprocessor'}
    for stream in parts & {'video', 'keypoint'}:
        channels = 3 if stream == 'video' else 79
        assert config[stream]['backbone'] == dict(
            type='S3D', in_channels=channels, num_blocks=4
        )
    assert set(class_counts(tensors).values()) == {1235}
    config['vocab'] = dict(glosses=[f'g{i}' for i in range(1234)])
    with torch.device('meta'):
        network = MODELS.build(config)
    built = {name: value.shape for name, value in network.state_dict().items()}
    assert built == {name: value.shape for name, value in tensors.items()}


def test_the_published_keypoint_attention_is_recognised():
    tensors = published('mska')
    config = recognizer_config(tensors)
    assert config['keypoint']['backbone'] == dict(type='MSKA')
    config['vocab'] = dict(glosses=[f'g{i}' for i in range(1093)])
    with torch.device('meta'):
        network = MODELS.build(config)
    built = {name: value.shape for name, value in network.state_dict().items()}
    assert built == {name: value.shape for name, value in tensors.items()}
    part = {
        name.removeprefix('keypoint.backbone.'): value
        for name, value in tensors.items()
        if name.startswith('keypoint.backbone.')
    }
    assert backbone_config(part) == dict(type='MSKA')
    # Their settings for Phoenix-2014 leave the body out.
    fused = 'keypoint.head.heads.fuse.fc.weight'
    tensors[fused] = torch.empty(512, 3 * 256, device='meta')
    reads = recognizer_config(tensors)['keypoint']['head']['reads']
    assert reads['fuse'] == ('left', 'face', 'right')


def test_tables_of_the_keypoint_attention_are_checked():
    block = 'recognition_network.visual_backbone_keypoint.left_graph_layers.0.'
    table = sinusoid(5, 8).t()[None, :, None].repeat(1, 1, 3, 1)
    state = {f'{block}pes.pe': table, f'{block}atts': torch.zeros(1, 2, 5, 5)}
    assert set(convert_recognizer(state).left_out) == set(state)
    for name in state:
        wrong = {key: value.clone() for key, value in state.items()}
        wrong[name].view(-1)[-1] += 1
        with pytest.raises(CheckpointError, match=name):
            convert_recognizer(wrong)


def test_the_width_is_read_off_the_stem():
    with torch.device('meta'):
        network = MODELS.build(
            dict(type='S3D', in_channels=5, width=0.25, num_blocks=5)
        )
    expected = dict(type='S3D', in_channels=5, num_blocks=5, width=0.25)
    assert s3d_config(network.state_dict()) == expected


def test_half_a_network_is_refused():
    tensors = published('rgb')
    del tensors['video.head.feedforward.conv1.weight']
    with pytest.raises(CheckpointError, match='feedforward.conv1.weight'):
        recognizer_config(tensors)
    with pytest.raises(CheckpointError, match='video or keypoint stream'):
        recognizer_config({'translation.x': torch.ones(1)})
