import pytest
import torch
import torch.nn as nn
from families import FAMILIES, build, built

from mmsign.models.stages import backbone_stages, describe_stages
from mmsign.models.stages.convolutional import chain
from mmsign.registry import MODELS

STEM = dict(base_channels=4, stage_blocks=(1, 1, 1, 1), pretrained2d=False)


def test_a_chain_runs_in_order():
    x = torch.tensor([1.0, -2.0])
    assert chain(lambda x: x + 1, nn.ReLU(), lambda x: 3 * x)(x).tolist() == [6, 0]
    assert chain()(x) is x


def walked(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = [x]
    with torch.no_grad():
        for stage in backbone_stages(net):
            outputs.append(stage(outputs[-1]))
    return outputs[1:]


@pytest.mark.parametrize('first', [True, False])
@pytest.mark.parametrize('second', [True, False])
def test_a_pool_belongs_to_the_stage_before_it(first, second):
    net = build(dict(type='ResNet3d'), with_pool1=first, with_pool2=second, **STEM)
    x = torch.randn(1, 3, 8, 32, 32)
    outputs = walked(net, x)
    with torch.no_grad():
        torch.testing.assert_close(outputs[-1], net(x), rtol=0, atol=0)
    # The convolution halves, and so does the first pool, in space; the second in time.
    side, frames = (8 if first else 16), (4 if second else 8)
    assert outputs[0].shape[2:] == (8, side, side)
    assert outputs[1].shape[2:] == (frames, side, side)
    strides = [info.time_stride for info in describe_stages(net, 3, (32, 32))]
    assert strides == [1, *[8 // frames] * 4]


def test_layers_behind_the_last_output_are_no_stages():
    stages = backbone_stages(built('fewer_outputs'))
    assert len(stages) == 3 and len(built('fewer_outputs').res_layers) == 4
    whole = build(FAMILIES['fewer_outputs'][0], out_indices=(1, 3))
    x = torch.randn(1, 3, 4, 32, 32)
    outputs = walked(whole, x)
    with torch.no_grad():
        inner, last = whole(x)
    torch.testing.assert_close(outputs[2], inner, rtol=0, atol=0)
    torch.testing.assert_close(outputs[4], last, rtol=0, atol=0)


@pytest.mark.parametrize(('frames', 'repeats'), [(16, [4] * 4), (10, [5, 5])])
def test_slow_features_are_shown_as_long_as_the_fast_ones(frames, repeats):
    config = FAMILIES['slowfast'][0]
    # What is exchanged inside would need a multiple of four frames.
    net = build(config, slow_pathway=config['slow_pathway'] | dict(lateral=False))
    x = torch.randn(2, 3, frames, 32, 32)
    (found,) = walked(net, x)
    with torch.no_grad():
        slow, fast = net(x)
    assert (slow.shape[2], fast.shape[2]) == (len(repeats), frames)
    repeated = slow.repeat_interleave(torch.tensor(repeats), dim=2)
    torch.testing.assert_close(found, torch.cat([repeated, fast], 1), rtol=0, atol=0)


def tsm(**changes):
    return build(
        dict(type='ResNetTSM', depth=18, num_segments=8, pretrained2d=False), **changes
    )


@pytest.mark.parametrize('pooled', [False, True])
def test_temporal_shift_follows_the_length_of_the_clip(pooled):
    net = tsm(temporal_pool=pooled)
    x = torch.randn(2, 3, 8, 32, 32)
    y = x
    with torch.no_grad():
        for stage in backbone_stages(net):
            y = stage(y)
        whole = net(x.transpose(1, 2).flatten(0, 1))
    whole = whole.unflatten(0, (2, -1)).transpose(1, 2)
    torch.testing.assert_close(y, whole)
    strides = [info.time_stride for info in describe_stages(net, 3, (32, 32))]
    assert strides == ([1, 1, 2, 2, 2] if pooled else [1] * 5)
    # Longer than num_segments: the frames still belong to their own clip.
    long = torch.randn(2, 3, 12, 32, 32)
    with torch.no_grad():
        both, second = long, long[1:]
        for stage in backbone_stages(net):
            both = stage(both)
        for stage in backbone_stages(net):
            second = stage(second)
    torch.testing.assert_close(both[1:], second)


@MODELS.register_module(force=True)
class PlainImageNetwork(nn.Module):
    """Somebody's network for images."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)

    def forward(self, x):
        return self.norm(self.conv(x))


def test_any_image_network_frame_by_frame():
    net = build(dict(type='FramewiseBackbone', backbone=dict(type='PlainImageNetwork')))
    x = torch.randn(2, 3, 4, 8, 8)
    with torch.no_grad():
        frames = [net.backbone(x[:, :, t]) for t in range(4)]
        torch.testing.assert_close(net(x), torch.stack(frames, dim=2))
    assert [(i.channels, i.size) for i in describe_stages(net, 3, (8, 8))] == [
        (6, (4, 4))
    ]
    family = build(
        dict(type='FramewiseBackbone', backbone=dict(type='ResNet', depth=18))
    )
    assert len(backbone_stages(family)) == 5


def test_an_image_network_given_a_clip_is_told_how():
    net = build(dict(type='PlainImageNetwork'))
    with pytest.raises(ValueError, match="single frames.*type='FramewiseBackbone'"):
        describe_stages(net, 3, (8, 8))
