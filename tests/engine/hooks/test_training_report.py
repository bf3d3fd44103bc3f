import logging
from types import SimpleNamespace

import pytest
import torch

from mmsign.engine.hooks.training_report import TrainingReportHook
from mmsign.errors import TrainingError


def runner(infeasible=()):
    def of(samples):
        return [s.clip_id for s in samples if s.clip_id in infeasible]

    return SimpleNamespace(
        model=SimpleNamespace(infeasible=of),
        logger=logging.getLogger('training-report'),
        iter=6,
        epoch=2,
        work_dir='work',
    )


def batch(clips) -> dict:
    return dict(data_samples=[SimpleNamespace(clip_id=clip) for clip in clips])


def test_a_loss_that_is_not_finite_stops_and_names_the_clips():
    clips = batch(['a1', 'b2'])
    outputs = dict(loss=torch.tensor(float('nan')), loss_ctc_video=torch.tensor(1.0))
    hook = TrainingReportHook()
    with pytest.raises(TrainingError, match=r"iteration 7.*\['a1', 'b2'\]"):
        hook.after_train_iter(runner(), 0, clips, outputs)
    hook.after_train_iter(runner(), 0, clips, dict(loss=torch.tensor(3.0)))


def test_infeasible_clips_once_per_epoch_with_a_count(caplog):
    hook, run = TrainingReportHook(names_shown=2), runner('abc')
    with caplog.at_level(logging.WARNING):
        for clips in ('bx', 'ca', 'by'):
            hook.after_train_iter(run, 0, batch(clips), dict(loss=torch.tensor(1.0)))
        hook.after_train_epoch(run)
        hook.after_train_epoch(run)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith('epoch 3: 3 clip(s)') and message.endswith('a, b, …')
