"""What every adapter promises, for a small network of every family."""

from __future__ import annotations

import pytest
import torch
from families import FAMILIES, build

from mmsign.models.stages import backbone_stages, describe_stages

SIZE = (32, 32)
FRAMES = 16


def output(net, x: torch.Tensor) -> torch.Tensor:
    """``net(x)`` as the contract has it: one (B, C, T, H, W) tensor."""
    name = type(net).__name__
    if name in ('ResNet', 'ResNetTSM', 'MobileNetV2'):
        y = net(x.transpose(1, 2).flatten(0, 1))
        return y.unflatten(0, (len(x), -1)).transpose(1, 2)
    y = net(x)
    if name == 'MViT':
        y = y[-1][0] if net.output_cls_token else y[-1]
    if name == 'ResNet3dSlowFast':
        slow, fast = y
        repeats = fast.shape[2] // slow.shape[2]
        return torch.cat([slow.repeat_interleave(repeats, 2), fast], 1)
    return y


def run(net, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = []
    for stage in backbone_stages(net):
        x = stage(x)
        outputs.append(x)
    return outputs


def test_all_stages_are_the_backbone(family):
    net, channels, expected = family
    torch.manual_seed(1)
    x = torch.randn(2, channels, FRAMES, *SIZE)
    with torch.no_grad():
        stages, whole = run(net, x.clone()), output(net, x)
    if whole.dim() == 2:
        # One vector per clip of exactly this length: the window with all of it.
        assert stages[-1].shape == (2, whole.shape[1], FRAMES // 4, 1, 1)
        return
    torch.testing.assert_close(stages[-1], whole, rtol=0, atol=0)
    assert whole.std() > 1e-4
    for found, (width, stride, size) in zip(stages, expected, strict=True):
        assert found.shape == (2, width, FRAMES // stride, *size)


def test_the_dry_run_finds_channels_and_strides(family):
    net, channels, expected = family
    parameters = {name: p.data_ptr() for name, p in net.state_dict().items()}
    infos = describe_stages(net, channels, SIZE)
    assert [(i.channels, i.time_stride, i.size) for i in infos] == expected
    # Nothing is left of it.
    assert not any(module.training for module in net.modules())
    assert {n: p.data_ptr() for n, p in net.state_dict().items()} == parameters


FREEZABLE = ('slowonly', 'i3d', 'r2plus1d', 'x3d', 'swin', 'resnet', 'mobilenet_v2')
CHECKPOINTED = ('slowonly', 'csn', 'x3d', 'swin', 'mobilenet_v2')


@pytest.mark.parametrize('name', FREEZABLE)
def test_frozen_stages_neither_train_nor_change(name):
    config, channels, _ = FAMILIES[name]
    net = build(config, frozen_stages=1)
    net.train()
    describe_stages(net, channels, SIZE)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    outputs = run(net, torch.randn(2, channels, 8, *SIZE))
    # Stages 0 and 1: the stem and the first layer, as MMAction2 counts.
    assert not outputs[0].requires_grad and not outputs[1].requires_grad
    outputs[-1].sum().backward()
    frozen = {n for n, p in net.named_parameters() if not p.requires_grad}
    assert frozen and all(
        (p.grad is None) == (n in frozen) for n, p in net.named_parameters()
    )
    if name != 'swin':
        changed = {k for k, v in net.state_dict().items() if not v.equal(before[k])}
        assert changed and not any(key.startswith('conv1') for key in changed)
        assert not any(key.startswith('layer1.') for key in changed)


@pytest.mark.parametrize('name', CHECKPOINTED)
def test_activation_checkpointing_gives_the_same_gradients(name):
    config, channels, _ = FAMILIES[name]
    x = torch.randn(1, channels, 8, *SIZE)
    gradients = []
    for with_cp in (False, True):
        net = build(config, with_cp=with_cp)
        inputs = x.clone().requires_grad_()
        run(net, inputs)[-1].square().mean().backward()
        gradients.append({n: p.grad for n, p in net.named_parameters()})
        gradients[-1]['input'] = inputs.grad
    torch.testing.assert_close(*gradients)
