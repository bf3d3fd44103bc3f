"""A run is killed at an awkward moment and resumed; another is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_run import TinyMetric, unique_name, write_config

from mmsign import compat
from mmsign.engine.hooks.safe_checkpoint import SafeCheckpointHook

EPOCHS, ITERATIONS = 4, 4


class Killed(BaseException):
    """Stands for a kill: nothing in the runner may handle it."""


class Recorder(Hook):
    """Notes the learning rate of each iteration."""

    def __init__(self) -> None:
        self.rates = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.rates[runner.iter] = runner.optim_wrapper.get_lr()['lr'][0]


class KillInTraining(Hook):
    """Kills the run in the middle of its third epoch."""

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.epoch == 2 and batch_idx == 1:
            raise Killed


class KillInValidation(Hook):
    """Kills the run while it validates its third epoch."""

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 3 and batch_idx == 1:
            raise Killed


def run(folder: Path, *hooks: Hook, resume: bool = False, **settings) -> Runner:
    """Train the tiny model in ``folder``; the runner is returned also after a kill."""
    cfg = Config.fromfile(write_config(folder))
    cfg.merge_from_dict(
        {'work_dir': str(folder / 'work'), 'resume': resume, **settings}
    )
    cfg.experiment_name = unique_name()
    runner = Runner.from_cfg(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    try:
        runner.train()
    except Killed:
        runner.was_killed = True
    return runner


def state(runner: Runner) -> dict:
    """What must not depend on an interruption."""
    hub = runner.message_hub
    return {
        'weights': [p.tolist() for p in runner.model.parameters()],
        'best_score': hub.get_info('best_score'),
        'best_ckpt': Path(hub.get_info('best_ckpt')).name,
        'losses': hub.get_scalar('train/loss').data[0].tolist(),
        'scheduler': runner.param_schedulers[0].last_step,
        'files': sorted(f.name for f in (Path(runner.work_dir)).glob('*.pth')),
    }


@pytest.fixture
def uninterrupted(tmp_path):
    folder = tmp_path / 'uninterrupted'
    folder.mkdir()
    recorder = Recorder()
    return state(run(folder, recorder)), recorder.rates


@pytest.mark.slow
@pytest.mark.parametrize('killer', [KillInTraining, KillInValidation])
def test_a_resumed_run_ends_like_an_uninterrupted_one(killer, tmp_path, uninterrupted):
    expected, expected_rates = uninterrupted
    folder = tmp_path / 'killed'
    folder.mkdir()
    before, after = Recorder(), Recorder()
    killed = run(folder, before, killer())
    assert killed.was_killed
    resumed = run(folder, after, resume=True)
    assert state(resumed) == expected
    assert {**before.rates, **after.rates} == expected_rates
    first = {KillInTraining: 2, KillInValidation: 3}[killer] * ITERATIONS
    assert min(after.rates) == first and len(expected_rates) == EPOCHS * ITERATIONS


def test_every_file_loads_with_weights_only(tmp_path):
    runner = run(tmp_path)
    files = list(Path(runner.work_dir).glob('*.pth'))
    assert len(files) == 2  # the last and the best
    for file in files:
        torch.load(file, weights_only=True)


def test_load_from_and_test_accept_what_was_written(tmp_path):
    trained = run(tmp_path)
    checkpoint = compat.find_latest_checkpoint(trained.work_dir)
    cfg = Config.fromfile(tmp_path / 'tiny.py')
    cfg.merge_from_dict({'work_dir': str(tmp_path / 'test'), 'load_from': checkpoint})
    cfg.experiment_name = unique_name()
    tester = Runner.from_cfg(cfg)
    assert tester.test()['clips'] == 5
    for ours, theirs in zip(tester.model.parameters(), trained.model.parameters()):
        assert torch.equal(ours, theirs)


def test_the_old_checkpoint_goes_only_when_the_new_one_is_there(tmp_path, monkeypatch):
    run(tmp_path, **{'train_cfg.max_epochs': 1})
    work = tmp_path / 'work'
    assert (work / 'epoch_1.pth').is_file()

    def killed_while_writing(checkpoint, path):
        raise Killed

    monkeypatch.setattr(
        compat.mmengine_checkpoints, 'write_checkpoint', killed_while_writing
    )
    killed = run(tmp_path, resume=True)
    assert killed.was_killed and killed.epoch == 1
    # max_keep_ckpts is 1, and yet there is one to resume from.
    assert [f.name for f in work.glob('epoch_*')] == ['epoch_1.pth']
    assert compat.find_latest_checkpoint(work) == str(work / 'epoch_1.pth')
    monkeypatch.undo()
    run(tmp_path, resume=True)
    assert [f.name for f in work.glob('epoch_*')] == ['epoch_4.pth']


@pytest.mark.slow
def test_a_finished_run_is_not_validated_again(tmp_path, monkeypatch):
    run(tmp_path)

    def unexpected(self, data_batch, data_samples):
        raise AssertionError('validated again')

    monkeypatch.setattr(TinyMetric, 'process', unexpected)
    assert run(tmp_path, resume=True).epoch == EPOCHS


def test_best_is_kept_when_later_epochs_are_worse(tmp_path, monkeypatch):
    scores = iter([5.0, 3.0, 4.0, 6.0])
    monkeypatch.setattr(
        TinyMetric, 'compute_metrics', lambda self, results: {'error': next(scores)}
    )
    runner = run(tmp_path)
    assert runner.message_hub.get_info('best_score') == 3.0
    names = sorted(f.name for f in Path(runner.work_dir).glob('*.pth'))
    assert names == ['best_error_epoch_2.pth', 'epoch_4.pth']
    last = compat.load_checkpoint(Path(runner.work_dir, 'epoch_4.pth'))
    assert last['message_hub']['runtime_info']['best_score'] == 3.0
    assert last['message_hub']['runtime_info']['validated_epoch'] == 4


@pytest.mark.slow
def test_iteration_based_checkpoints_work_too(tmp_path):
    runner = run(
        tmp_path,
        **{
            'train_cfg': {
                'type': 'IterBasedTrainLoop',
                'max_iters': 6,
                'val_interval': 3,
                '_delete_': True,
            },
            'default_hooks.checkpoint.by_epoch': False,
            'default_hooks.checkpoint.interval': 3,
            'default_hooks.logger.interval': 1,
        },
    )
    names = {f.name for f in Path(runner.work_dir).glob('iter_*')}
    assert names == {'iter_6.pth'}


def test_it_is_a_checkpoint_hook():
    from mmengine.hooks import CheckpointHook

    assert issubclass(SafeCheckpointHook, CheckpointHook)
