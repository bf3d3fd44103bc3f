from __future__ import annotations

import errno
import os
import signal

import pytest
from torch.utils.data import DataLoader

from mmsign.compat import from_primitive
from mmsign.compat.primitive_state import TAG
from mmsign.engine.launch.errors import (
    TRACEBACK_VARIABLE,
    cause_outside,
    is_users_mistake,
    message_of,
    reported_errors,
)
from mmsign.errors import CheckpointError, ConfigError, FrameReadError


@pytest.fixture(autouse=True)
def no_tracebacks(monkeypatch):
    monkeypatch.delenv(TRACEBACK_VARIABLE, raising=False)


@pytest.mark.parametrize(
    'kind', [ConfigError, CheckpointError, FileNotFoundError, FrameReadError]
)
def test_a_users_mistake_is_one_line_and_status_1(kind, capsys):
    with pytest.raises(SystemExit) as caught, reported_errors():
        raise kind('no such corpus')
    assert caught.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'error: no such corpus' and len(lines) == 2


def test_what_mmsign_refuses_is_a_users_mistake(capsys):
    with pytest.raises(SystemExit), reported_errors():
        from_primitive({TAG: 'hologram'})
    assert 'unknown tag' in capsys.readouterr().err


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ValueError, match='not enough values'), reported_errors():
        _, _ = [1]
    with pytest.raises(ValueError, match='outside'), reported_errors():
        raise ValueError('raised outside of mmsign')
    with pytest.raises(TypeError), reported_errors():
        from_primitive()


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(TRACEBACK_VARIABLE, '1')
    with pytest.raises(ConfigError), reported_errors():
        raise ConfigError('x')


def test_key_errors_are_unquoted():
    assert message_of(KeyError("gloss 'X'")) == "gloss 'X'"
    assert message_of(ValueError('y')) == 'y'
    assert not is_users_mistake(KeyError('x').with_traceback(_traceback()))


def _traceback():
    try:
        raise KeyError('x')
    except KeyError as error:
        return error.__traceback__


def test_one_process_ends_as_usual(monkeypatch):
    from mmsign.engine.launch.errors import end_process

    left = []
    monkeypatch.setattr('os._exit', left.append)
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    end_process()
    assert not left
    monkeypatch.setattr('logging.shutdown', lambda: None)
    monkeypatch.setenv('WORLD_SIZE', '2')
    end_process()
    assert left == [0]


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_is_one_line(number, capsys):
    with pytest.raises(SystemExit), reported_errors():
        raise OSError(number, os.strerror(number), 'work/log.txt')
    said = capsys.readouterr().err
    assert f"{os.strerror(number)}: 'work/log.txt'" in said and 'Traceback' not in said


class Clips:
    """Two clips; ``act`` is what happens when the second is loaded."""

    def __init__(self, act) -> None:
        self.act = act

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        if index == 1:
            self.act()
        return index


def lose_a_frame() -> None:
    try:
        raise FrameReadError('a/b.png: cannot be read')
    except FrameReadError as error:
        raise FrameReadError('clip b7: a/b.png: cannot be read') from error


def test_what_a_worker_refuses_is_told_without_its_traceback(capsys):
    loader = DataLoader(Clips(lose_a_frame), num_workers=1)
    with pytest.raises(SystemExit), reported_errors():
        list(loader)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'error: clip b7: a/b.png: cannot be read' and len(lines) == 2


def test_a_bug_in_a_worker_keeps_its_traceback():
    loader = DataLoader(Clips(lambda: [][1]), num_workers=1)
    with pytest.raises(IndexError, match='Original Traceback'), reported_errors():
        list(loader)


@pytest.mark.parametrize(
    ('number', 'advice'),
    [(signal.SIGKILL, 'memory ran out'), (signal.SIGBUS, '/dev/shm is full')],
)
def test_a_worker_that_is_killed(number, advice, capsys):
    loader = DataLoader(
        Clips(lambda: os.kill(os.getpid(), number)), num_workers=1, batch_size=2
    )
    with pytest.raises(SystemExit) as caught, reported_errors():
        list(loader)
    said = capsys.readouterr().err
    assert caught.value.code == 1 and 'Traceback' not in said
    assert said.startswith('error: a data loader worker (process ')
    assert advice in said and '--resume' in said


def test_a_worker_that_leaves(capsys):
    loader = DataLoader(Clips(lambda: os._exit(3)), num_workers=1, batch_size=2)
    with pytest.raises(SystemExit), reported_errors():
        list(loader)
    said = capsys.readouterr().err
    assert 'num_workers=0' in said and 'Traceback' not in said


def test_another_process_that_is_gone_is_the_cause_only_among_several(monkeypatch):
    lost = RuntimeError('[gloo/tcp/pair.cc:547] Connection closed by peer [::1]:4711')
    monkeypatch.setenv('WORLD_SIZE', '2')
    monkeypatch.setenv('RANK', '1')
    assert cause_outside(lost).startswith('process 1 lost the connection to another')
    assert cause_outside(RuntimeError('shapes differ')) is None
    monkeypatch.setenv('WORLD_SIZE', '1')
    assert cause_outside(lost) is None
