import pytest
import torch
from mmengine.optim import OptimWrapper

from mmsign.engine import WarmUpLR
from mmsign.errors import ConfigError
from mmsign.registry import PARAM_SCHEDULERS


def rates(count, steps=1, **settings) -> list[float]:
    """The learning rate at each iteration, out of 1."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(
        torch.optim.SGD([parameter], lr=1.0), accumulative_counts=steps
    )
    cfg = dict(type='WarmUpLR', by_epoch=False) | settings
    scheduler = PARAM_SCHEDULERS.build(cfg, default_args=dict(optimizer=wrapper))
    found = []
    for _ in range(count):
        found += wrapper.get_lr()['lr']
        wrapper.step()
        scheduler.step()
    return found


def test_a_line_up_to_the_rate_of_the_config():
    found = rates(6, updates=5, start_factor=0.2, end=1000)
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_accumulated_steps_are_one_update():
    found = rates(24, steps=4, updates=5, start_factor=0.2, end=1000)
    assert found[19:] == pytest.approx([1.0] * 5) and found[18] < 1
    # As LinearLR of so many iterations.
    assert found[0] == pytest.approx(0.2)


@pytest.mark.parametrize(('end', 'reached'), [(50, 9), (10, 1), (1, 1)])
def test_no_more_than_its_share_of_a_short_training(end, reached):
    found = rates(60, updates=100, start_factor=0.1, end=end)
    assert found[reached:] == pytest.approx([1.0] * (60 - reached))
    assert found[reached - 1] < 1


@pytest.mark.parametrize(
    'settings',
    [
        dict(updates=0, by_epoch=False),
        dict(updates=2, max_share=1.5, by_epoch=False),
        dict(updates=2),
    ],
)
def test_what_is_no_warm_up(settings):
    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0))
    with pytest.raises(ConfigError, match='WarmUpLR'):
        WarmUpLR(wrapper, **settings)
