from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_training import train, training_config

from mmsign import compat
from mmsign.decoding import (
    Calibration,
    CTCBeamSearch,
    StepClock,
    calibrations_from,
    decode_outputs,
)
from mmsign.engine.hooks import CalibrationHook
from mmsign.errors import CheckpointError, ConfigError
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND'])


class Logger(list):
    info = warning = list.append


@pytest.fixture
def runner():
    dataset = SimpleNamespace(metainfo=dict(gloss_cleanup='none'))
    model = torch.nn.Module()
    model.vocab, model.calibrations = VOCAB, {}
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(model=model, val_dataloader=loader, logger=Logger())


def sample(clip: str, reference: list[str], seen: int, rng) -> SignDataSample:
    """A clip in which the network sees a class for some steps, more or less surely."""
    logits = torch.zeros(1, 6, 4)
    logits[0, :, 0] = 3.0
    logits[0, 2:4, seen] += rng.uniform(4.0, 9.0)
    outputs = dict(video=logits.log_softmax(-1), average=logits.log_softmax(-1))
    found = SignDataSample(metainfo=dict(clip_id=clip, glosses=reference))
    clocks = [StepClock.of_frames(np.arange(6), 6, 6)]
    decode_outputs([found], outputs, clocks, CTCBeamSearch(), VOCAB, None, [5])
    return found


def samples(count: int) -> list[SignDataSample]:
    """Every fourth sign is read wrongly, every fifth clip is idle."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(count):
        sign = 1 + number % 3
        seen = 1 + (sign % 3 if number % 4 == 0 else sign - 1)
        idle = number % 5 == 4
        names = [] if idle else VOCAB.decode([sign])
        made.append(sample(f'dev-{number}', names, 0 if idle else seen, rng))
    return made


def validate(hook: CalibrationHook, runner, clips) -> dict[str, Calibration]:
    hook.before_val_epoch(runner)
    for index, clip in enumerate(clips):
        hook.after_val_iter(runner, index, None, [clip])
    hook.after_val_epoch(runner, {})
    return runner.model.calibrations


def test_every_output_is_fitted_and_what_is_measured_is_said(runner):
    found = validate(CalibrationHook(), runner, samples(60))
    assert found.keys() == {'video', 'average'}
    one = found['average']
    assert one.glosses is not None and one.signs is not None
    assert (one.measured['signs'], one.measured['idle']) == (48, 12)
    assert one.signs.steps == 6
    assert one.measured['rejected_signs'] <= 5
    assert one.measured['false_accepts'] == 0
    (said,) = runner.logger
    assert '48 single signs' in said and '12 idle clips' in said


def test_the_share_of_rejected_signs_is_an_argument(runner):
    # Idle clips in which it sees signs: the more may be rejected, the fewer pass.
    rng = np.random.default_rng(1)
    clips = samples(60) + [sample(f'idle-{n}', [], 1 + n % 3, rng) for n in range(20)]
    loose, strict = (
        validate(CalibrationHook(share), runner, clips)['average'].measured
        for share in (0.05, 0.4)
    )
    assert loose['rejected_signs'] <= 5 < strict['rejected_signs'] <= 40
    assert strict['false_accepts'] < loose['false_accepts']
    for share in (-0.1, 1.0):
        with pytest.raises(ConfigError, match='max_rejected'):
            CalibrationHook(share)


def test_a_clip_that_two_processes_saw_counts_once(runner, monkeypatch):
    clips = samples(12)
    once = validate(CalibrationHook(), runner, clips)
    both = 'mmsign.engine.hooks.calibration.all_gather_object'
    monkeypatch.setattr(both, lambda found: [found, found])
    assert validate(CalibrationHook(), runner, clips) == once


def test_the_calibration_error_of_a_test_is_said(runner):
    hook, clips = CalibrationHook(), samples(30)
    validate(hook, runner, clips)
    runner.test_dataloader = runner.val_dataloader
    for expected in ('average, calibrated', 'average, not calibrated'):
        runner.logger.clear()
        hook.before_test_epoch(runner)
        hook.after_test_iter(runner, 0, None, clips)
        hook.after_test_epoch(runner, {})
        (said,) = runner.logger
        glosses = sum(len(clip.predictions['average'].glosses) for clip in clips)
        assert expected in said and f'{glosses} glosses' in said
        runner.model.calibrations = {}
    runner.logger.clear()
    hook.after_test_epoch(runner, {})  # nothing was found
    assert not runner.logger


@pytest.mark.parametrize('count', [0, 1])
def test_odd_splits_end_no_training(runner, count):
    validate(CalibrationHook(), runner, samples(count))
    other = SimpleNamespace(model=torch.nn.Linear(1, 1), logger=Logger())
    other.val_dataloader = runner.val_dataloader
    checkpoint = dict(meta={})
    hook = CalibrationHook()
    hook.before_train_iter(other, 0)
    hook.before_val_epoch(other)
    hook.after_val_iter(other, 0, None, [dict(index=0)])
    hook.after_val_epoch(other, {})
    hook.before_save_checkpoint(other, checkpoint)
    assert checkpoint == dict(meta={})


def test_a_sign_that_the_network_does_not_know(runner):
    unknown = sample('dev-x', ['HAIL'], 1, np.random.default_rng(0))
    found = validate(CalibrationHook(), runner, [*samples(10), unknown])
    assert found['average'].measured['signs'] == 8
    assert found['average'].measured['glosses'] == 9


def test_it_goes_into_checkpoints_until_training_goes_on(runner):
    hook, checkpoint, stale = CalibrationHook(), dict(meta={}), dict(meta={})
    fitted = validate(hook, runner, samples(20))
    hook.before_save_checkpoint(runner, checkpoint)
    hook.before_train_iter(runner, 0)
    hook.before_save_checkpoint(runner, stale)
    assert runner.model.calibrations == {} and stale == dict(meta={})
    hook.after_load_checkpoint(runner, checkpoint)
    assert runner.model.calibrations == fitted
    hook.after_load_checkpoint(runner, dict(meta={}))  # an old one
    assert runner.model.calibrations == {}
    with pytest.raises(CheckpointError, match='calibration'):
        hook.after_load_checkpoint(runner, dict(meta=dict(calibration=[1])))


@pytest.mark.slow
def test_a_training_on_single_signs_and_idle_clips(phoenix_tree, tmp_path):
    """A clip without a gloss is trained on, validated and tested like any other."""
    rows = ['id,video,glosses,split,signer']
    for split in ('train', 'dev', 'test'):
        for clip, gloss in (('a', ''), ('b', 'SUN')):
            name = f'{split}-{clip}'
            frames = phoenix_tree / 'features/fullFrame-210x260px' / split / name
            rows.append(f'{name},{frames},{gloss},{split},s')
    (tmp_path / 'manifest.csv').write_text('\n'.join(rows) + '\n')
    keypoints = str(phoenix_tree / 'keypoints.safetensors')
    own = dict(type='SignFolderDataset', keypoint_file=keypoints)
    cfg = training_config(tmp_path, tmp_path / 'work', epochs=1, **own)
    cfg.model.vocab = dict(glosses=['SUN', 'RAIN'])
    metrics = [dict(type='WERMetric'), dict(type='SingleSignMetric')]
    cfg.val_evaluator = cfg.test_evaluator = metrics
    run = train(cfg)
    fitted = run.model.calibrations
    assert fitted.keys() == {'video', 'keypoint', 'joint', 'average'}
    assert fitted['average'].measured['signs'] == 1
    assert fitted['average'].measured['idle'] == 1
    paths = [tmp_path / 'work/epoch_1.pth', *(tmp_path / 'work').glob('best_*.pth')]
    assert len(paths) == 2
    for path in paths:
        meta = compat.load_checkpoint(path)['meta']
        assert calibrations_from(meta['calibration']) == fitted
    found = run.test()
    assert found['average/single_signs'] == found['average/idle_clips'] == 1


@pytest.mark.slow
def test_a_validation_in_the_midst_of_a_loop_by_iterations(phoenix_tree, tmp_path):
    """What it fitted does not go into checkpoints of later weights."""
    cfg = training_config(phoenix_tree, tmp_path / 'work')
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=5, val_interval=2)
    cfg.val_evaluator = [dict(type='WERMetric')]
    cfg.default_hooks.checkpoint.by_epoch = False
    train(cfg)
    (best,) = (tmp_path / 'work').glob('best_*')
    metas = {
        path.name: compat.load_checkpoint(path)['meta']
        for path in (best, tmp_path / 'work/iter_3.pth')
    }
    found = {name: 'calibration' in meta for name, meta in metas.items()}
    assert found == {best.name: True, 'iter_3.pth': False}
