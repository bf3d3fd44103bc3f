"""What the tool says agrees with the network itself."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import Config
from tiny_run import TOOLS, load_tool
from torch.utils.flop_counter import FlopCounterMode

from mmsign.errors import ConfigError
from mmsign.models import TwoStreamRecognizer

HEAD = dict(hidden_channels=16, feedforward_channels=24)
MODEL = dict(
    type='TwoStreamRecognizer',
    vocab=dict(dataset='Phoenix2014Dataset', data_root='is/not/there'),
    data_preprocessor=dict(video_size=32, heatmap_size=32),
    video=dict(
        backbone=dict(
            type='ResNet3dSlowOnly', base_channels=4, stage_blocks=(1, 1, 1, 1)
        ),
        output_stride=4,
        head=HEAD,
    ),
    keypoint=dict(backbone=dict(type='S3D', width=0.125), head=HEAD),
    bilateral=dict(type='SeparableBilateralNeck', stages=((1, 1), (2, 2))),
    joint=dict(type='JointHead', **HEAD),
)


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis/describe')


@pytest.fixture(scope='module')
def network():
    config = copy.deepcopy(MODEL)
    del config['type']
    return TwoStreamRecognizer(**config | dict(vocab=dict(glosses=['A', 'B']))).eval()


def test_flops_are_those_that_torch_counts(tool, network):
    inputs = dict(
        video=torch.randn(1, 3, 8, 32, 32), heatmaps=torch.randn(1, 79, 8, 32, 32)
    )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(inputs)
    found = tool.flops(network, frames=8)
    assert found['total'] == counter.get_total_flops() > 0
    parts = ('video', 'keypoint', 'connections', 'heads')
    assert sum(found[part] for part in parts) == found['total']
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.keypoint.backbone(inputs['heatmaps'])
    assert found['keypoint'] == counter.get_total_flops()
    # The network has its values again.
    assert not any(p.is_meta for p in network.parameters())


def test_what_is_printed(tool, network, tmp_path, capsys):
    path = tmp_path / 'config.py'
    Config(dict(model=MODEL)).dump(path)
    tool.main([str(path), '--frames', '18', '--glosses', '2'])
    said = capsys.readouterr().out
    lines = [line.split() for line in said.splitlines()]
    assert lines[2] == ['stage', 'video:', 'ResNet3dSlowOnly', 'keypoint:', 'S3D']
    # SlowOnly has a stage more than S3D.
    assert lines[4] == ['0', '4', 'ch', 'T·1/1', '8×8', '8', 'ch', 'T·1/2', '16×16']
    assert lines[8] == ['4', '128', 'ch', 'T·1/1', '1×1']
    down = '(1, 1) to_keypoint 1×3×3 stride 1×1×1, 7×1×1 stride 2×1×1'
    assert down in [' '.join(line[:-2]) for line in lines]
    total = sum(p.numel() for p in network.parameters())
    assert ['total', f'{total / 1e6:.2f}', 'M'] in [line[:3] for line in lines]
    # ⌈18/4⌉ of both streams.
    assert 'a clip of 18 frames gives 5 output steps, one per 4 frames' in said


def test_other_networks_and_arguments(tool, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text("model = dict(type='S3D')\n")
    with pytest.raises(ConfigError, match='config.py'):
        tool.main([str(path)])
    with pytest.raises(ConfigError, match='--frames'):
        tool.main([str(TOOLS.parent / 'configs/video_slr_toy.py'), '--frames', '1'])
