import logging
from types import SimpleNamespace

import pytest
import torch

from mmsign.engine.hooks.training_report import TrainingReportHook


def runner(clips=()):
    return SimpleNamespace(
        model=SimpleNamespace(infeasible_clips=set(clips)),
        logger=logging.getLogger('training-report'),
        iter=6,
        epoch=2,
        work_dir='work',
    )


def test_a_loss_that_is_not_finite_stops_and_names_the_clips():
    batch = dict(data_samples=[SimpleNamespace(clip_id=c) for c in ('a1', 'b2')])
    outputs = dict(loss=torch.tensor(float('nan')), loss_ctc_video=torch.tensor(1.0))
    hook = TrainingReportHook()
    with pytest.raises(FloatingPointError, match=r"iteration 7.*\['a1', 'b2'\]"):
        hook.after_train_iter(runner(), 0, batch, outputs)
    hook.after_train_iter(runner(), 0, batch, dict(loss=torch.tensor(3.0)))


def test_unspellable_clips_once_per_epoch_with_a_count(caplog):
    hook, run = TrainingReportHook(names_shown=2), runner(['c', 'a', 'b'])
    with caplog.at_level(logging.WARNING):
        hook.after_train_epoch(run)
        hook.after_train_epoch(run)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith('epoch 3: 3 clip(s)') and message.endswith('a, b, …')
