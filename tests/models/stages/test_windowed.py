import pytest
import torch
from families import built

from mmsign.models.stages import backbone_stages

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
