from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner
from tiny_run import TinyModel, unique_name, write_config
from torch import nn

from mmsign import compat
from mmsign.engine.hooks.finite_gradients import FiniteGradientsHook
from mmsign.errors import TrainingError


@OPTIM_WRAPPERS.register_module(force=True)
class ScaledOptimWrapper(OptimWrapper):
    """Leaves a step out as a loss scaler does, without its GPU."""

    def step(self, **kwargs) -> None:
        grads = [p.grad for g in self.optimizer.param_groups for p in g['params']]
        if all(torch.isfinite(grad).all() for grad in grads):
            super().step(**kwargs)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.good = nn.Parameter(torch.ones(2))
        self.bad = nn.Parameter(torch.ones(3))

    def loss(self, broken: bool) -> torch.Tensor:
        # A root at zero: 0, with a gradient that is not a number.
        root = (self.bad * 0).abs().sqrt().sum() if broken else self.bad.sum()
        return self.good.sum() + root


def steps(hook, losses, wrapper=OptimWrapper, accumulate: int = 1) -> Net:
    """An iteration per entry of ``losses``, each true for a broken one."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    optim_wrapper = wrapper(optimizer, accumulative_counts=accumulate)
    optim_wrapper.initialize_count_status(net, 0, len(losses))
    run = SimpleNamespace(
        model=net, optim_wrapper=optim_wrapper, iter=0, work_dir='work'
    )
    hook.before_train(run)
    for index, broken in enumerate(losses):
        run.iter = index
        optim_wrapper.update_params(net.loss(broken))
        samples = [SimpleNamespace(clip_id=f'clip{index}')]
        hook.after_train_iter(run, index, dict(data_samples=samples))
    return net


def test_iteration_clips_and_parameters_are_named():
    with pytest.raises(TrainingError) as caught:
        steps(FiniteGradientsHook(), [False, False, True])
    message = str(caught.value)
    assert message.startswith(
        'the gradients of 1 of 2 parameters are not finite at iteration 3 (bad), '
        "though the loss is, in the update from clips ['clip2']"
    )
    assert 'checkpoint in work was written before' in message


def test_good_gradients_pass():
    net = steps(FiniteGradientsHook(), [False] * 3)
    assert torch.allclose(net.good, torch.full((2,), 0.7))


def test_all_clips_of_an_accumulated_update_are_named():
    with pytest.raises(TrainingError, match=r"iteration 4.*\['clip2', 'clip3'\]"):
        steps(FiniteGradientsHook(), [False, False, True, False], accumulate=2)


def test_a_loss_scaler_may_leave_out_some_updates_but_not_all():
    losses = [True] * 3 + [False] + [True] * 3
    steps(FiniteGradientsHook(skips_allowed=3), losses, ScaledOptimWrapper)
    with pytest.raises(TrainingError, match='iteration 5 '):
        steps(
            FiniteGradientsHook(skips_allowed=3),
            [False] + [True] * 4,
            ScaledOptimWrapper,
        )


def test_more_parameters_than_are_shown():
    hook, net = FiniteGradientsHook(names_shown=1), Net()
    run = SimpleNamespace(model=net, work_dir='work')
    with pytest.raises(TrainingError, match=r'2 of 2 parameters .* \(bad, …\)'):
        hook._check(run, 1, ['a'], [net.bad, net.good], torch.tensor([torch.nan] * 2))


@pytest.mark.parametrize('late', [False, True])
@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'CPUAmpOptimWrapper'])
def test_a_run_stops_with_its_last_checkpoint_intact(
    wrapper, late, tmp_path, monkeypatch
):
    """The gradient breaks in the last iteration of epoch 2, before it is saved."""
    # As on a GPU, where it is looked at one step later.
    monkeypatch.setattr('mmsign.engine.hooks.late.is_on_its_way', lambda _: late)
    cfg = Config.fromfile(write_config(tmp_path))
    cfg.work_dir = str(tmp_path / 'work')
    cfg.optim_wrapper.type = wrapper
    cfg.custom_hooks = [dict(type='EpochSeedHook'), dict(type='FiniteGradientsHook')]
    cfg.experiment_name = unique_name()
    forward, calls = TinyModel.forward, []

    def broken(self, inputs, data_samples, mode='tensor'):
        result = forward(self, inputs, data_samples, mode)
        if mode == 'loss':
            calls.append(0)
            if len(calls) == 8:
                result['loss'] = result['loss'] + (self.linear.bias * 0).abs().sqrt()
        return result

    monkeypatch.setattr(TinyModel, 'forward', broken)
    runner = Runner.from_cfg(cfg)
    with pytest.raises(TrainingError, match='iteration 8'):
        runner.train()
    work = Path(cfg.work_dir)
    assert [f.name for f in work.glob('epoch_*')] == ['epoch_1.pth']
    state = compat.load_checkpoint(work / 'epoch_1.pth')
    assert state['meta']['iter'] == 4
    assert all(value.isfinite().all() for value in state['state_dict'].values())
