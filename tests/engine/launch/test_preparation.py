from __future__ import annotations

import argparse
import errno
import os

import pytest
from mmengine.config import Config

from mmsign import compat
from mmsign.compat.checkpoints import TRUST_VARIABLE
from mmsign.engine.launch import preparation
from mmsign.engine.launch.preparation import (
    add_common_arguments,
    check_data_roots,
    check_work_dir,
    prepare,
    set_work_dir,
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


@pytest.mark.parametrize(
    ('in_config', 'argument', 'expected'),
    [(None, None, 'work_dirs/my_run'), ('a', None, 'a'), ('a', 'b', 'b')],
)
def test_work_dir(in_config, argument, expected):
    cfg = Config({'work_dir': in_config})
    set_work_dir(cfg, argument, 'configs/my_run.py')
    assert cfg.work_dir == expected


def test_a_work_folder_is_made_and_left_empty(tmp_path):
    check_work_dir(Config(dict(work_dir=str(tmp_path / 'a' / 'b'))))
    assert list((tmp_path / 'a').rglob('*')) == [tmp_path / 'a' / 'b']


def test_a_work_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').write_text('')
    cfg = Config(dict(work_dir=str(tmp_path / 'file' / 'run')))
    with pytest.raises(ConfigError, match='work folder .*file/run .*--work-dir'):
        check_work_dir(cfg)


@pytest.mark.parametrize('number', [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_work_folder_that_takes_nothing(number, tmp_path, monkeypatch):
    def refuse(dir):
        raise OSError(number, os.strerror(number), str(dir))

    # Permissions do not stop root, who may run the tests.
    monkeypatch.setattr(preparation.tempfile, 'TemporaryFile', refuse)
    with pytest.raises(ConfigError, match=os.strerror(number)):
        check_work_dir(Config(dict(work_dir=str(tmp_path))))


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
    with pytest.raises(ConfigError, match='missing.* of test_dataloader .*data_root='):
        check_data_roots(cfg, ('test_dataloader',))
