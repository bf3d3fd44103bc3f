from types import SimpleNamespace

import pytest
import torch.nn as nn

from mmsign.engine.hooks import FlatStartHook
from mmsign.errors import ConfigError
from mmsign.models.losses import CTCLoss


def runner(loss: nn.Module | None, iterations: int = 10) -> SimpleNamespace:
    model = nn.Module()
    if loss is not None:
        model.gloss_loss = loss
    return SimpleNamespace(model=model, iter=0, max_iters=iterations)


def test_the_weight_falls_to_zero():
    loss = CTCLoss()
    hook, run = FlatStartHook(weight=0.5, share=0.5), runner(loss)
    hook.before_train(run)
    found = []
    for run.iter in range(10):
        hook.before_train_iter(run, 0)
        found.append(loss.flat)
    assert found == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1] + [0] * 5)


def test_a_training_that_goes_on_has_the_weight_it_would_have_had():
    loss = CTCLoss()
    hook, run = FlatStartHook(weight=1.0, share=1.0), runner(loss)
    run.iter = 5
    hook.before_train(run)
    hook.before_train_iter(run, 0)
    assert loss.flat == 0.5


@pytest.mark.parametrize('loss', [nn.CTCLoss(), None])
def test_refuses_what_has_no_alignment(loss):
    with pytest.raises(ConfigError, match='CTCLoss'):
        FlatStartHook().before_train(runner(loss))


@pytest.mark.parametrize('name', ['weight', 'share'])
@pytest.mark.parametrize('value', [0, -1, 1.5, float('nan')])
def test_refuses_what_is_out_of_range(name, value):
    with pytest.raises(ConfigError, match=name):
        FlatStartHook(**{name: value})
