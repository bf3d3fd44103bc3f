import pytest
import torch
import torch.nn as nn

from mmsign.models.stages.dry_run import shapes_only, without_values


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
