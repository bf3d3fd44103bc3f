import pytest
import torch
import torch.nn as nn
from torch.testing import assert_close

from mmsign.engine import FusedAdam
from mmsign.errors import ConfigError
from mmsign.registry import OPTIMIZERS

SETTINGS = dict(lr=1e-2, betas=(0.9, 0.998), weight_decay=1e-3)


def trained(kind, steps: int = 4) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Linear(5, 3)
    groups = [dict(params=[net.weight]), dict(params=[net.bias], lr=1e-3)]
    optimizer = kind(groups, **SETTINGS)
    for step in range(steps):
        net(torch.full((2, 5), step + 1.0)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return net


def test_it_is_adam():
    found, expected = trained(FusedAdam), trained(torch.optim.Adam)
    assert_close(found.state_dict(), expected.state_dict())
    config = dict(type='FusedAdam', params=list(found.parameters()), **SETTINGS)
    assert isinstance(OPTIMIZERS.build(config), FusedAdam)


def test_parameters_of_the_same_settings_are_one_group():
    nets = [nn.Linear(3, 2) for _ in range(3)]
    groups = [
        dict(params=parameter, lr=1e-3 if net is nets[1] else 1e-2)
        for net in nets
        for parameter in net.parameters()
    ]
    optimizer = FusedAdam(groups, **SETTINGS)
    assert [group['lr'] for group in optimizer.param_groups] == [1e-2, 1e-3, 1e-2]
    for group, net in zip(optimizer.param_groups, nets, strict=True):
        assert group['params'] == list(net.parameters())


def test_a_state_of_other_groups_is_refused():
    net = nn.Linear(3, 2)
    state = torch.optim.Adam([dict(params=p) for p in net.parameters()]).state_dict()
    with pytest.raises(ConfigError, match=r'2 groups .* 1: .*load_from'):
        FusedAdam(net.parameters(), **SETTINGS).load_state_dict(state)


def test_a_state_in_another_order_of_memory_is_rearranged():
    weight = torch.randn(4, 3, 2)
    there = FusedAdam([nn.Parameter(weight)], **SETTINGS)
    (parameter,) = there.param_groups[0]['params']
    parameter.grad = torch.randn(4, 3, 2)
    there.step()
    in_order = weight.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    here = FusedAdam([nn.Parameter(in_order)], **SETTINGS)
    here.load_state_dict(there.state_dict())
    (state,), (before,) = here.state.values(), there.state.values()
    assert state['step'] == 1
    for name in ('exp_avg', 'exp_avg_sq'):
        assert state[name].stride() == in_order.stride()
        assert_close(state[name], before[name])
