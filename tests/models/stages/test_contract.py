import pytest
import torch
import torch.nn as nn

from mmsign.errors import ConfigError
from mmsign.models.backbones.s3d import S3D
from mmsign.models.stages import (
    StageInfo,
    backbone_stages,
    describe_stages,
    input_tensors,
)
from mmsign.models.stages.contract import shapes_only, without_values


def test_dry_run_finds_the_geometry_of_s3d():
    net = S3D(in_channels=5, width=0.125, num_blocks=5)
    assert describe_stages(net, 5, (64, 32)) == [
        StageInfo(8, 2, (32, 16)),
        StageInfo(24, 2, (16, 8)),
        StageInfo(64, 2, (8, 4)),
        StageInfo(104, 4, (4, 2)),
        StageInfo(128, 8, (2, 1)),
    ]
    assert net.training


def test_a_backbone_without_stages_is_one_stage():
    net = nn.Conv3d(3, 4, 3, stride=(4, 2, 2), padding=1)
    x = torch.randn(1, 3, 8, 6, 6)
    (stage,) = backbone_stages(net)
    torch.testing.assert_close(stage(x), net(x))
    assert describe_stages(net, 3, (6, 6)) == [StageInfo(4, 4, (3, 3))]


def test_wrong_input_and_wrong_output_are_named():
    with pytest.raises(ConfigError, match='Conv3d.*5'):
        describe_stages(nn.Conv3d(3, 4, 3), 5, (6, 6))
    with pytest.raises(ConfigError, match='stage 0 of Flatten'):
        describe_stages(nn.Flatten(), 3, (6, 6))


def test_a_descendant_with_its_own_forward_is_one_stage():
    from mmaction.models.backbones import ResNet3dSlowOnly

    class Backwards(ResNet3dSlowOnly):
        def forward(self, x):
            return super().forward(x.flip(2))

    class Renamed(ResNet3dSlowOnly):
        """Nothing changed but the name."""

    narrow = dict(base_channels=4, stage_blocks=(1, 1, 1, 1))
    assert len(backbone_stages(Backwards(**narrow))) == 1
    assert len(backbone_stages(Renamed(**narrow))) == 5


def test_first_convolution_of_any_network():
    assert input_tensors(S3D(width=0.125)) == {'blocks.0.0.conv_s.weight'}


class NeedsNumbers(nn.Conv3d):
    """Looks at a value, which a run for the shapes alone cannot give."""

    def forward(self, x):
        return super().forward(x + float(x.abs().max()))


def test_networks_that_look_at_values_are_run_with_values():
    net = NeedsNumbers(3, 4, 3, padding=1)
    assert describe_stages(net, 3, (6, 6)) == [StageInfo(4, 1, (6, 6))]
    assert net.training


def test_shapes_without_values_and_everything_as_before():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    net[0].eval()
    net[0].bias.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    parameters = list(net.parameters())
    with pytest.raises(RuntimeError, match='stop'), shapes_only(net):
        y = net(torch.zeros(2, 3, 9, 9, device='meta'))
        assert y.is_meta and y.shape == (2, 4, 7, 7)
        raise RuntimeError('stop')
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert [m.training for m in net.modules()] == [True, False, True]
    assert not net[0].bias.requires_grad and net[0].weight.requires_grad
    torch.testing.assert_close(net.state_dict(), before)


def test_built_without_values_where_that_is_possible():
    assert without_values(lambda: nn.Linear(2, 3)).weight.is_meta

    def with_numbers():
        return nn.Dropout(torch.linspace(0, 0.5, 3)[1].item())

    assert without_values(with_numbers).p == 0.25
