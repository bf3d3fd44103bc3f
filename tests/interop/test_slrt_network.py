"""A network rebuilt from the shapes of its own tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mmsign.errors import CheckpointError
from mmsign.interop.slrt_checkpoint import convert_recognizer
from mmsign.interop.slrt_network import class_counts, recognizer_config, s3d_config
from mmsign.registry import MODELS

SHAPES = Path(__file__).parents[1] / 'data' / 'golden'


def published(kind: str) -> dict[str, torch.Tensor]:
    shapes = json.loads((SHAPES / f'slrt_state_shapes_{kind}.json').read_text())
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
