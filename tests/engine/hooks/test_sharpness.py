from types import SimpleNamespace

import pytest
import torch.nn as nn

from mmsign.engine.hooks import SharpnessHook
from mmsign.errors import ConfigError
from mmsign.models.losses import CTCLoss


def runner(loss: nn.Module | None, iterations: int = 10) -> SimpleNamespace:
    model = nn.Module()
    if loss is not None:
        model.gloss_loss = loss
    return SimpleNamespace(model=model, iter=0, max_iters=iterations)


def test_sharpness_falls_to_one():
    loss = CTCLoss(sharpness=3)
    hook, run = SharpnessHook(share=0.5), runner(loss)
    hook.before_train(run)
    found = []
    for run.iter in range(10):
        hook.before_train_iter(run, 0)
        found.append(loss.sharpness)
    assert found == pytest.approx([3, 2.6, 2.2, 1.8, 1.4] + [1] * 5)


def test_a_training_that_goes_on_has_the_sharpness_it_would_have_had():
    loss = CTCLoss(sharpness=2)
    hook, run = SharpnessHook(share=1.0), runner(loss)
    run.iter = 5
    hook.before_train(run)
    hook.before_train_iter(run, 0)
    assert loss.sharpness == 1.5


@pytest.mark.parametrize('loss', [nn.CTCLoss(), None])
def test_refuses_what_has_no_sharpness(loss):
    with pytest.raises(ConfigError, match='sharpness=2'):
        SharpnessHook().before_train(runner(loss))


@pytest.mark.parametrize('share', [0, -1, 1.5])
def test_refuses_a_share_out_of_range(share):
    with pytest.raises(ConfigError, match='share'):
        SharpnessHook(share=share)
