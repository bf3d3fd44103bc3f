import pytest
import torch
from families import FAMILIES, build, built

from mmsign.models.stages import backbone_stages, describe_stages

NAMES = ['swin', 'swin_merged', 'uniformer', 'mvit', 'mvit_without_class_token']
SHAPES = [(8, 32, 32), (24, 32, 32), (16, 64, 32)]


def walked(net, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = [x]
    with torch.no_grad():
        for stage in backbone_stages(net):
            outputs.append(stage(outputs[-1]))
    return outputs[1:]


def whole(net, x: torch.Tensor) -> torch.Tensor:
    """The grid of the backbone's last output."""
    with torch.no_grad():
        y = net(x)
    if isinstance(y, tuple):
        y = y[-1]
    return y[0] if isinstance(y, list) else y


@pytest.mark.parametrize('shape', SHAPES, ids=str)
@pytest.mark.parametrize('name', NAMES)
def test_stages_are_the_network_for_clips_of_other_shapes(name, shape):
    net = built(name)
    torch.manual_seed(0)
    x = torch.randn(2, 3, *shape)
    outputs = walked(net, x)
    torch.testing.assert_close(outputs[-1], whole(net, x), rtol=0, atol=0)
    infos = describe_stages(net, 3, shape[1:])
    for found, info in zip(outputs, infos, strict=True):
        frames = shape[0] // info.time_stride
        assert found.shape == (2, info.channels, frames, *info.size)


@pytest.mark.parametrize('shape', SHAPES, ids=str)
@pytest.mark.parametrize('name', ['mvit', 'mvit_without_class_token'])
def test_positions_are_those_of_the_clip(name, shape):
    """Learned for 16 frames of 32×32 pixels, interpolated for others."""
    net = build(FAMILIES[name][0], use_abs_pos_embed=True)
    assert net.pos_embed.any()
    x = torch.randn(2, 3, *shape)
    torch.testing.assert_close(walked(net, x)[-1], whole(net, x), rtol=0, atol=0)


@pytest.mark.parametrize('name', ['mvit', 'mvit_without_class_token'])
def test_the_class_token_of_a_pass_does_not_reach_the_next(name):
    net = built(name)
    stages = backbone_stages(net)
    torch.manual_seed(0)
    clips = torch.randn(3, 3, 8, 32, 32)
    with torch.no_grad():
        for x in (clips[:1], clips, clips[1:]):
            y = x
            for stage in stages:
                y = stage(y)
            torch.testing.assert_close(y, whole(net, x), rtol=0, atol=0)


WINDOW = 16


@pytest.mark.parametrize('name', ['timesformer', 'videomae', 'uniformer_v2'])
def test_each_step_sees_the_window_around_its_frames(name):
    net = built(name)
    (stage,) = backbone_stages(net)
    x = torch.randn(1, 3, 30, 32, 32)
    with torch.no_grad():
        y = stage(x)
        # ⌈30/4⌉ steps; step i covers frames 4i..4i+3, its window 4i-6..4i+9.
        assert y.shape == (1, 16, 8, 1, 1)
        torch.testing.assert_close(y[:, :, 3, 0, 0], net(x[:, :, 6:22]))
        first = torch.cat([x[:, :, :1]] * 6 + [x[:, :, :10]], dim=2)
        torch.testing.assert_close(y[:, :, 0, 0, 0], net(first))
        last = torch.cat([x[:, :, 22:], *[x[:, :, -1:]] * 8], dim=2)
        torch.testing.assert_close(y[:, :, 7, 0, 0], net(last))


def test_windows_with_a_grid_are_put_together():
    net = built('videomae_grid')
    (stage,) = backbone_stages(net)
    x = torch.randn(2, 3, 24, 32, 32)
    with torch.no_grad():
        y = stage(x)
        assert y.shape == (2, 16, 12, 2, 2)
        torch.testing.assert_close(y[:, :, :8], net(x[:, :, :16]))
        padded = torch.cat([x[:, :, 16:], *[x[:, :, -1:]] * 8], dim=2)
        torch.testing.assert_close(y[:, :, 8:], net(padded)[:, :, :4])
