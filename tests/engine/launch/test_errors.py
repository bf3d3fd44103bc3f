from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading

import pytest
from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from mmsign.engine.launch.errors import (
    TRACEBACK_VARIABLE,
    end_process,
    interruptible,
    message_for_user,
    reported_errors,
    say,
    with_progress,
)
from mmsign.errors import (
    CheckpointError,
    ConfigError,
    FrameReadError,
    UnknownGlossError,
)
from mmsign.registry import HOOKS, MODELS


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv(TRACEBACK_VARIABLE, raising=False)
    # An interrupted process ends; this one goes on.
    for hook in ('excepthook', 'unraisablehook'):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))


@pytest.fixture
def told(capsys):
    """What is said of an error, and the status of the process."""

    def told(raise_it, status: int = 1) -> str:
        with pytest.raises(SystemExit) as caught, reported_errors(status):
            raise_it()
        assert caught.value.code == status
        said = capsys.readouterr().err
        assert said.startswith('error: ') and said.count('\n') == 1
        return said.strip()

    return told


def raising(error: BaseException):
    def raise_it():
        raise error

    return raise_it


@pytest.mark.parametrize(
    'kind',
    [
        ConfigError,
        CheckpointError,
        FileNotFoundError,
        FrameReadError,
        UnknownGlossError,
    ],
)
def test_a_users_mistake_is_one_line(kind, told):
    assert told(raising(kind('no such corpus')), 2) == 'error: no such corpus'


@pytest.mark.parametrize(
    'bug', [ValueError('x'), KeyError('x'), TypeError('x'), RuntimeError('x')]
)
def test_a_bug_keeps_its_traceback(bug):
    with pytest.raises(type(bug)), reported_errors():
        raise bug


def test_the_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(TRACEBACK_VARIABLE, '1')
    with pytest.raises(ConfigError), reported_errors():
        raise ConfigError('x')


@pytest.mark.parametrize(
    ('parts', 'name', 'near'),
    [
        (MODELS, 'S3DD', 'S3D'),
        (MODELS, 'ResNet3dSlowOnli', 'ResNet3dSlowOnly'),
        (HOOKS, 'EpochSeed', 'EpochSeedHook'),
    ],
)
def test_an_unknown_part_of_a_config_is_named_with_the_nearest(parts, name, near, told):
    said = told(lambda: parts.build({'type': name}))
    assert repr(name) in said and repr(near) in said


def test_an_unknown_part_that_is_like_no_other(told):
    said = told(lambda: HOOKS.build({'type': 'qqqq'}))
    assert "'qqqq'" in said and 'did you mean' not in said


def test_an_argument_that_a_part_does_not_take_is_named(told):
    said = told(lambda: HOOKS.build({'type': 'FiniteGradientsHook', 'skip': 1}))
    assert "'skip'" in said and 'FiniteGradientsHook' in said


def test_a_bug_in_the_making_of_a_part_keeps_its_traceback():
    class Broken(Hook):
        def __init__(self):
            len(3)

    with pytest.raises(TypeError), reported_errors():
        HOOKS.build({'type': Broken})


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_is_one_line(number, told):
    said = told(raising(OSError(number, os.strerror(number), 'work/log.txt')))
    assert os.strerror(number) in said and 'work/log.txt' in said


def test_an_interruption_is_one_line_and_status_130(capsys):
    for stop, line in (
        (KeyboardInterrupt(), 'interrupted'),
        (KeyboardInterrupt('go on with --resume'), 'interrupted: go on with --resume'),
    ):
        with pytest.raises(SystemExit) as caught, reported_errors():
            raise stop
        assert caught.value.code == 130
        assert capsys.readouterr().err == f'{line}\n'


@pytest.fixture
def listening():
    """Also where the suite runs in the background, which is not interrupted."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize('sees', ['it', 'another error', 'nothing'])
def test_an_interruption_is_one_whatever_it_leads_to(sees, listening):
    """A library makes it an error of its own; Python drops it in a destructor."""

    class Library:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)

    with (
        pytest.raises(KeyboardInterrupt, match='epoch 3'),
        interruptible(lambda: 'epoch 3'),
    ):
        if sees == 'nothing':
            Library()
            threading.Event().wait(20)
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            if sees == 'another error':
                raise RuntimeError('a worker is gone') from None
            raise
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_errors_and_workers_are_not_interruptions():
    with pytest.raises(RuntimeError, match='a worker'), interruptible():
        raise RuntimeError('a worker')
    with interruptible():
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_one_process_ends_as_usual(monkeypatch):
    left = []
    monkeypatch.setattr('os._exit', left.append)
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    end_process()
    assert not left
    monkeypatch.setattr('logging.shutdown', lambda: None)
    monkeypatch.setenv('WORLD_SIZE', '2')
    end_process()
    assert left == [0]


# What becomes of the output --------------------------------------------------------

TOOL = """
import sys, types
package = sys.modules['mmsign'] = types.ModuleType('mmsign')
package.__path__ = [sys.argv[1]]
for name in ('mmsign.engine', 'mmsign.engine.launch'):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [sys.argv[1] + name.removeprefix('mmsign').replace('.', '/')]
from mmsign.engine.launch.errors import reported_errors, say
with reported_errors():
    for number in range(3):
        {statement}
    with open('done', 'w') as file:
        file.write('all')
"""


def run(tmp_path, statement: str, stdout, **env) -> subprocess.CompletedProcess:
    """A tool, with mmsign's parts that it needs and no others, for speed."""
    import mmsign

    return subprocess.run(
        [sys.executable, '-c', TOOL.format(statement=statement), mmsign.__path__[0]],
        cwd=tmp_path,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding='utf-8',
        env=os.environ | env,
    )


def closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_a_reader_who_has_seen_enough_ends_it_quietly(tmp_path):
    done = run(tmp_path, "print('x', flush=True)", closed_pipe())
    assert (done.returncode, done.stderr) == (0, '')
    assert not (tmp_path / 'done').exists()
    done = run(tmp_path, "print('x')", closed_pipe())  # found out at the end
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='no /dev/full')
def test_output_that_cannot_be_written_is_one_line(tmp_path):
    with open('/dev/full', 'w') as full:
        done = run(tmp_path, "print('x')", full)
    assert done.returncode == 1 and os.strerror(errno.ENOSPC) in done.stderr
    assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


@pytest.mark.parametrize('out', ['closed pipe', '/dev/full'])
def test_who_only_says_how_far_it_is_goes_on(tmp_path, out):
    stdout = closed_pipe() if out == 'closed pipe' else open(out, 'w')  # noqa: SIM115
    done = run(tmp_path, "say('x')", stdout)
    assert (done.returncode, done.stderr) == (0, '')
    assert (tmp_path / 'done').exists()


def test_a_letter_that_the_console_lacks(tmp_path):
    done = run(
        tmp_path,
        "print('REGEN 雨', flush=True)",
        subprocess.PIPE,
        PYTHONIOENCODING='ascii',
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.splitlines()[0] == 'REGEN \\u96e8'


def test_say_prints(capsys):
    say('a')
    say('b', sys.stderr)
    assert capsys.readouterr() == ('a\n', 'b\n')


def test_a_bar_is_for_somebody_who_watches(capsys, monkeypatch):
    assert list(with_progress([1, 2])) == [1, 2]
    assert capsys.readouterr() == ('', '')
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    assert list(with_progress([1, 2])) == [1, 2]
    printed = capsys.readouterr()
    assert printed.out == '' and '2/2' in printed.err
    assert list(with_progress([])) == []


# Workers and other processes -------------------------------------------------------


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


def test_what_a_worker_refuses_is_told_without_its_traceback(told):
    loader = DataLoader(Clips(lose_a_frame), num_workers=1)
    assert told(lambda: list(loader)) == 'error: clip b7: a/b.png: cannot be read'


def test_a_bug_in_a_worker_keeps_its_traceback():
    loader = DataLoader(Clips(lambda: [][1]), num_workers=1)
    with pytest.raises(IndexError, match='Original Traceback'), reported_errors():
        list(loader)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('act', 'advice'),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), ['memory', '--resume']),
        (lambda: os.kill(os.getpid(), signal.SIGBUS), ['/dev/shm', '--resume']),
        (lambda: os._exit(3), ['num_workers=0']),
    ],
)
def test_a_worker_that_is_gone(act, advice, told):
    loader = DataLoader(Clips(act), num_workers=1, batch_size=2)
    said = told(lambda: list(loader))
    assert 'data loader worker (process ' in said
    assert all(word in said for word in advice)


def test_another_process_that_is_gone_is_the_cause_only_among_several(monkeypatch):
    lost = RuntimeError('[gloo/tcp/pair.cc:547] Connection closed by peer [::1]:4711')
    monkeypatch.setenv('WORLD_SIZE', '2')
    monkeypatch.setenv('RANK', '1')
    assert 'process 1 ' in message_for_user(lost)
    assert message_for_user(RuntimeError('shapes differ')) is None
    monkeypatch.setenv('WORLD_SIZE', '1')
    assert message_for_user(lost) is None
