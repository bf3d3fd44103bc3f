import pytest
from mmengine.config import Config

from mmsign.engine.launch import spread_batch
from mmsign.errors import ConfigError


def config(total=8, at_once=4, **optim_wrapper) -> Config:
    sampler = dict(type='LengthBucketSampler', batch_size=at_once)
    return Config(
        dict(
            total_batch_size=total,
            train_dataloader=dict(batch_size=at_once, sampler=sampler),
            optim_wrapper=optim_wrapper,
            auto_scale_lr=dict(enable=False, base_batch_size=8),
        )
    )


@pytest.mark.parametrize(
    ('processes', 'total', 'at_once', 'batch', 'steps'),
    [
        (1, 8, 4, 4, 2),
        (2, 8, 4, 4, 1),
        (4, 8, 4, 2, 1),
        (8, 8, 4, 1, 1),
        (3, 8, 4, 3, 1),  # 9 clips
        (1, 6, 4, 3, 2),
        (1, 8, 1, 1, 8),
        (2, 64, 8, 8, 4),
        (16, 8, 4, 1, 1),
    ],
)
def test_an_update_has_as_many_clips(processes, total, at_once, batch, steps):
    cfg = config(total, at_once)
    spread_batch(cfg, processes)
    assert cfg.train_dataloader.batch_size == batch <= at_once
    assert cfg.train_dataloader.sampler.batch_size == batch
    assert cfg.optim_wrapper.get('accumulative_counts', 1) == steps
    clips = processes * batch * steps
    assert total <= clips < total + processes * steps
    # What MMEngine scales the learning rate by.
    ratio = processes * batch / cfg.auto_scale_lr.base_batch_size
    assert ratio == clips / 8


def test_steps_that_are_named_stay():
    cfg = config(total=16, at_once=8, accumulative_counts=4)
    spread_batch(cfg, 2)
    assert cfg.train_dataloader.batch_size == 2
    assert cfg.optim_wrapper.accumulative_counts == 4


def test_a_config_without_a_total_stays():
    cfg = config(total=None)
    before = cfg.copy()
    spread_batch(cfg, 2)
    assert cfg._cfg_dict == before._cfg_dict


@pytest.mark.parametrize('numbers', [dict(total=0), dict(at_once=0)])
def test_no_clips(numbers):
    with pytest.raises(ConfigError, match='total_batch_size'):
        spread_batch(config(**numbers), 1)
