from __future__ import annotations

import argparse
import os

import pytest
from mmengine.config import Config

from mmsign import compat
from mmsign.compat.checkpoints import TRUST_VARIABLE
from mmsign.engine.launch import preparation
from mmsign.engine.launch.preparation import (
    add_common_arguments,
    check_data_roots,
    check_development,
    named_files,
    prepare,
    spread_batch,
)
from mmsign.errors import ConfigError


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_common_arguments(parser)
    return parser.parse_args(['configs/my_run.py', *given])


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    # `prepare` writes to the environment; this restores it.
    for name in ('LOCAL_RANK', TRUST_VARIABLE):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)


def test_prepare_applies_the_common_arguments():
    cfg = Config({'data_root': 'a', 'train_dataloader': {'data_root': 'a'}})
    options = ['--cfg-options', 'data_root=b', '--work-dir', 'w', '--trust-checkpoint']
    prepare(cfg, arguments(*options, '--local-rank', '3'))
    assert cfg.train_dataloader.data_root == 'b'
    assert (cfg.work_dir, cfg.launcher) == ('w', 'none')
    assert os.environ['LOCAL_RANK'] == '3' and compat.is_trusted()


def test_nothing_is_trusted_by_default():
    prepare(Config({}), arguments())
    assert not compat.is_trusted()


def test_mixed_precision_of_the_config_is_adapted_to_a_cpu(monkeypatch):
    monkeypatch.setattr(preparation, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(compat.mixed_precision, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(compat.mixed_precision, 'cpu_has_bfloat16', lambda: True)
    cfg = Config(
        {'optim_wrapper': {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic'}}
    )
    prepare(cfg, arguments())
    assert cfg.optim_wrapper == {'type': 'CPUAmpOptimWrapper'}


def test_data_roots(tmp_path):
    here, missing = str(tmp_path), str(tmp_path / 'missing')
    cfg = Config(
        {
            'train_dataloader': {'dataset': {'datasets': [{'data_root': here}]}},
            'val_dataloader': {'dataset': {'data_root': 's3://bucket/x'}},
            'test_dataloader': {'dataset': {'dataset': {'data_root': missing}}},
        }
    )
    check_data_roots(cfg, ('train_dataloader', 'val_dataloader', 'absent'))
    with pytest.raises(ConfigError, match='missing.*test_dataloader'):
        check_data_roots(cfg, ('test_dataloader',))


def test_files_that_a_config_names(tmp_path):
    for name in ('a.txt', 'b.csv', 'c.pth'):
        (tmp_path / name).touch()
    names = dict(data_root=str(tmp_path), file='a.txt', parts=['b.csv', 3, None])
    cfg = Config(dict(dataset=names, load_from=str(tmp_path / 'c.pth'), gone='d'))
    found = {os.path.basename(path) for path in named_files(cfg)}
    assert found == {'a.txt', 'b.csv', 'c.pth'}


MANIFEST = 'id,video,glosses,signer,split\n1,v,A,a,train\n2,v,B,b,{}\n'


@pytest.mark.parametrize(
    ('split', 'settings', 'validated'),
    [
        ('dev', {}, True),
        ('test', {}, False),
        ('test', dict(signers=dict(dev=['a'])), True),
        ('dev', dict(signers=dict(dev=[])), False),
        ('dev', dict(signers=dict(test=['b'])), False),
        # Not for this to find out.
        ('nowhere', {}, True),
        ('dev', dict(ann_file='gone.csv'), True),
        ('dev', dict(type='TinyDataset'), True),
    ],
)
def test_a_corpus_without_a_development_split(tmp_path, split, settings, validated):
    (tmp_path / 'manifest.csv').write_text(MANIFEST.format(split))
    given = dict(type='SignFolderDataset', data_root=str(tmp_path), split='dev')
    loader = dict(dataset=given | settings)
    cfg = Config(dict(val_cfg={}, val_evaluator={}, val_dataloader=loader))
    check_development(cfg)
    for key in ('val_cfg', 'val_evaluator', 'val_dataloader'):
        assert (cfg[key] is not None) == validated


@pytest.mark.parametrize('key', ['val_cfg', 'val_evaluator', 'val_dataloader'])
def test_one_of_three_keys_is_enough(key):
    cfg = Config(dict(val_cfg={}, val_evaluator={}, val_dataloader={}) | {key: None})
    check_development(cfg)
    assert cfg.val_cfg is cfg.val_evaluator is cfg.val_dataloader is None


def batches(total=8, at_once=4, **optim_wrapper) -> Config:
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
    cfg = batches(total, at_once)
    spread_batch(cfg, processes)
    assert cfg.train_dataloader.batch_size == batch <= at_once
    assert cfg.train_dataloader.sampler.batch_size == batch
    assert cfg.optim_wrapper.get('accumulative_counts', 1) == steps
    clips = processes * batch * steps
    assert total <= clips < total + processes * steps
    # What MMEngine scales the learning rate by.
    ratio = processes * batch / cfg.auto_scale_lr.base_batch_size
    assert ratio == clips / 8


@pytest.mark.parametrize(
    'total, named, batch, steps',
    [
        (16, 4, 2, 4),
        # Two steps of 16 clips would be more at once than fit.
        (64, 2, 8, 4),
    ],
)
def test_named_steps_are_the_fewest(total, named, batch, steps):
    cfg = batches(total=total, at_once=8, accumulative_counts=named)
    spread_batch(cfg, 2)
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.optim_wrapper.accumulative_counts == steps


def test_a_config_without_a_total_stays():
    cfg = batches(total=None)
    before = cfg.copy()
    spread_batch(cfg, 2)
    assert cfg._cfg_dict == before._cfg_dict


@pytest.mark.parametrize('numbers', [dict(total=0), dict(at_once=0)])
def test_no_clips(numbers):
    with pytest.raises(ConfigError, match='total_batch_size'):
        spread_batch(batches(**numbers), 1)
