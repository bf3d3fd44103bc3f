from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from mmengine.config import Config
from other_run import another_run

from mmsign.engine.launch import check_work_dir, locked_work_dir, set_work_dir
from mmsign.errors import ConfigError


@pytest.fixture
def cfg(tmp_path):
    return Config(dict(work_dir=str(tmp_path)))


@pytest.mark.parametrize(
    ('in_config', 'argument', 'expected'),
    [(None, None, 'work_dirs/my_run'), ('a', None, 'a'), ('a', 'b', 'b')],
)
def test_work_dir(in_config, argument, expected):
    cfg = Config({'work_dir': in_config})
    set_work_dir(cfg, argument, 'configs/my_run.py')
    assert cfg.work_dir == expected


def test_the_runner_does_not_write_over_the_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'tiny.py').write_text('x = 1')
    os.symlink(tmp_path, 'link')
    names = {'.': 'tiny_run.py', 'link': 'tiny_run.py', 'w': 'tiny.py'}
    for work_dir, name in names.items():
        cfg = Config.fromfile('tiny.py')
        set_work_dir(cfg, work_dir, 'tiny.py')
        assert Path(cfg.filename).name == name


def test_it_is_made_and_can_be_written(tmp_path):
    check_work_dir(Config(dict(work_dir=str(tmp_path / 'a' / 'b'))))
    assert (tmp_path / 'a' / 'b').is_dir()
    (tmp_path / 'file').touch()
    with pytest.raises(ConfigError, match='file/work'):
        check_work_dir(Config(dict(work_dir=str(tmp_path / 'file/work'))))


@pytest.mark.parametrize('number', [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_work_folder_that_takes_nothing(number, tmp_path, monkeypatch):
    def refuse(dir, **_):
        raise OSError(number, os.strerror(number), str(dir))

    # Permissions do not stop root, who may run the tests.
    monkeypatch.setattr('tempfile.TemporaryFile', refuse)
    with pytest.raises(ConfigError, match=os.strerror(number)):
        check_work_dir(Config(dict(work_dir=str(tmp_path))))


@pytest.mark.slow
def test_one_run_at_a_time(cfg, tmp_path, monkeypatch):
    with another_run(tmp_path) as process:
        for _ in range(2):
            with pytest.raises(ConfigError) as caught, locked_work_dir(cfg, 'train'):
                pass
            for name in (
                str(tmp_path),
                f'process {process.pid} ',
                socket.gethostname(),
            ):
                assert name in str(caught.value)
        with locked_work_dir(cfg, 'test'):
            pass
        # Another process of the same run has nothing to lock.
        cfg.launcher = 'pytorch'
        monkeypatch.setenv('RANK', '1')
        with locked_work_dir(cfg, 'train'):
            pass
        monkeypatch.setenv('RANK', '0')
        with pytest.raises(ConfigError), locked_work_dir(cfg, 'train'):
            pass
    # It was killed: nothing is held any more, and nothing stays.
    for _ in range(2):
        with locked_work_dir(cfg, 'train'):
            assert f'process {os.getpid()} ' in (tmp_path / '.train.lock').read_text()
        assert os.listdir(tmp_path) == []


def test_an_error_in_the_run_is_its_own_and_frees_the_folder(cfg, tmp_path):
    with pytest.raises(FileNotFoundError, match='clip'), locked_work_dir(cfg, 'train'):
        raise FileNotFoundError('clip')
    assert os.listdir(tmp_path) == []


def test_where_files_cannot_be_locked(cfg, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(38, 'Function not implemented')

    monkeypatch.setattr('fcntl.lockf', refuse)
    held = f'process {os.getppid()} on {socket.gethostname()}, since yesterday: train'
    (tmp_path / '.train.lock').write_text(held)
    with pytest.raises(ConfigError, match=f'process {os.getppid()}'):
        locked_work_dir(cfg, 'train').__enter__()
    (tmp_path / '.train.lock').write_text(held.replace(str(os.getppid()), '99999999'))
    with locked_work_dir(cfg, 'train'):
        assert (tmp_path / '.train.lock').exists()
