import pytest
import torch
import torch.nn as nn
from families import build

from mmsign.models.stages import backbone_stages, describe_stages
from mmsign.registry import MODELS


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
    with pytest.raises(
        ValueError, match="for single frames .*type='FramewiseBackbone'"
    ):
        describe_stages(net, 3, (8, 8))
