from __future__ import annotations

import pytest

from mmsign.compat import CheckpointError, from_plain
from mmsign.compat.plain_state import TAG
from mmsign.datasets import FrameReadError
from mmsign.launch.errors import (
    TRACEBACK_VARIABLE,
    LaunchError,
    is_users_mistake,
    message_of,
    reported_errors,
)


@pytest.fixture(autouse=True)
def no_tracebacks(monkeypatch):
    monkeypatch.delenv(TRACEBACK_VARIABLE, raising=False)


@pytest.mark.parametrize(
    'kind', [LaunchError, CheckpointError, FileNotFoundError, FrameReadError]
)
def test_a_users_mistake_is_one_line_and_status_1(kind, capsys):
    with pytest.raises(SystemExit) as caught, reported_errors():
        raise kind('no such corpus')
    assert caught.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'error: no such corpus' and len(lines) == 2


def test_what_mmsign_refuses_is_a_users_mistake(capsys):
    with pytest.raises(SystemExit), reported_errors():
        from_plain({TAG: 'hologram'})
    assert 'unknown tag' in capsys.readouterr().err


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ValueError, match='not enough values'), reported_errors():
        _, _ = [1]
    with pytest.raises(ValueError, match='outside'), reported_errors():
        raise ValueError('raised outside of mmsign')
    with pytest.raises(TypeError), reported_errors():
        from_plain()


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(TRACEBACK_VARIABLE, '1')
    with pytest.raises(LaunchError), reported_errors():
        raise LaunchError('x')


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
    from mmsign.launch.errors import end_process

    left = []
    monkeypatch.setattr('os._exit', left.append)
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    end_process()
    assert not left
    monkeypatch.setattr('logging.shutdown', lambda: None)
    monkeypatch.setenv('WORLD_SIZE', '2')
    end_process()
    assert left == [0]
