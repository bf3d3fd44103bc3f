"""How a tool ends: a user's mistake in a sentence, a bug in a traceback."""

import difflib
import errno
import gc
import logging
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, TypeVar

from mmsign.errors import MMSignError, explain

_Item = TypeVar('_Item')
TRACEBACK_VARIABLE = 'MMSIGN_TRACEBACK'
# The disk's refusals, wherever they are met: full, over quota, read-only, forbidden.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_CHECKPOINTS_ARE_WHOLE = (
    'Checkpoints written before this are whole: go on from the last with --resume'
)
# What torch says when a data loader's worker dies, and what a process of several
# hears when another one is gone (gloo, then NCCL).
_WORKER_DIED = re.compile(
    r'DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) '
    r'(?:is killed by signal: ([\w ]+)|exited unexpectedly)'
)
_PEER_DIED = re.compile(
    r'Connection closed by peer|Connection reset by peer|Broken pipe|'
    r'Timed out waiting \d+ms|remote process exited|NCCL communicator was aborted'
)
_WAYS_OF_WORKERS = {
    None: 'ended without a word. Run with train_dataloader.num_workers=0 to see what '
    'it meets',
    'Killed': 'was killed, most likely by the system because memory ran out (`dmesg` '
    'says so): use fewer workers (train_dataloader.num_workers), a smaller '
    'batch_size or a smaller prefetch_factor',
    'Bus error': 'died of a bus error: either the shared memory of /dev/shm is full '
    '(in a container give it more, such as --shm-size=8g, or use fewer workers), or a '
    'file was overwritten in place while it was being read',
}
# MMEngine's words for a type of a config that nothing is registered under.
_UNKNOWN_TYPE = re.compile(r'(\S+) is not in the \S+::([\w ]+) registry')


def message_for_user(error: BaseException) -> str | None:
    """What to print instead of a traceback; None for a bug, which needs one.

    That is the message of mmsign's own kinds of error, of a missing file and of a
    disk that refuses; MMEngine's of a config that names an unknown part; and one for
    another process that died, if ``error`` is only this one's echo of it.
    """
    may_be_echo = isinstance(error, (RuntimeError, OSError))
    if may_be_echo and (message := _death_elsewhere(error)):
        return message
    # A KeyError quotes its message.
    message = str(error.args[0] if isinstance(error, KeyError) else error)
    if isinstance(error, KeyError) and (found := _UNKNOWN_TYPE.search(message)):
        return _unknown_type(*found.groups())
    if isinstance(error, TypeError) and _refuses_arguments(error):
        return f'the config does not fit: {message}'
    is_from_disk = isinstance(error, OSError) and error.errno in _DISK_ERRORS
    if not is_from_disk and not isinstance(error, (MMSignError, FileNotFoundError)):
        return None
    if 'DataLoader worker process' in message.partition('\n')[0]:
        # The worker's traceback comes before it.
        kind = re.escape(f'{type(error).__module__}.{type(error).__qualname__}: ')
        message = re.split(rf'^{kind}', message, flags=re.MULTILINE)[-1].strip()
    return message


def _unknown_type(name: str, kind: str) -> str:
    # Imported here, as not every tool needs MMEngine.
    from mmsign import registry

    known: list[str] = []
    for parts in vars(registry).values():
        while isinstance(parts, registry.Registry.__base__) and parts.name == kind:
            known += parts.module_dict
            parts = parts.parent
    near = difflib.get_close_matches(name, known, 1)
    advice = f'did you mean {near[0]!r}?' if near else 'is its module imported?'
    return f'the config names a {kind} {name!r}, which does not exist: {advice}'


def _refuses_arguments(error: TypeError) -> bool:
    """Whether the call of a registered class failed, and nothing inside of it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    raised_in = frames and frames[-1].f_globals.get('__name__')
    return raised_in == 'mmengine.registry.build_functions'


def _death_elsewhere(error: RuntimeError | OSError) -> str | None:
    # The signal, where torch knows it, is in the exception that led to this one.
    died = _WORKER_DIED.search(f'{error.__cause__ or error.__context__}\n{error}')
    if died is not None:
        pid, name = died.groups()
        name = name and name.strip()
        way = _WAYS_OF_WORKERS.get(name, f'was ended by a signal: {name}')
        return f'a data loader worker (process {pid}) {way}. {_CHECKPOINTS_ARE_WHOLE}'
    several = int(os.environ.get('WORLD_SIZE', '1')) > 1
    if several and _PEER_DIED.search(str(error)):
        return (
            f'process {os.environ.get("RANK", "?")} lost the connection to another '
            'process of this run, which has ended or cannot be reached: its own '
            'message, or the root cause named below, says why. '
            f'{_CHECKPOINTS_ARE_WHOLE}'
        )
    return None


@contextmanager
def reported_errors(status: int = 1) -> Iterator[None]:
    """Run a tool: a user's mistake, or another process' end, is told in one line.

    ``MMSIGN_TRACEBACK=1`` shows where it was found instead. An interruption is one
    line, too, with the message of the KeyboardInterrupt, and status 130. A letter that
    the console lacks is printed as its code. If the reader of a pipe has seen enough
    (``| head``), the tool ends quietly.

    Args:
        status: Of the process after a mistake.
    """
    if not gc.get_freeze_count():
        # What is imported stays: nobody needs to look through it again.
        gc.freeze()
    for stream in sys.stdout, sys.stderr:
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='backslashreplace')
    stdout, told = sys.stdout, logging.raiseExceptions
    sys.stdout = stdout and _Printer(stdout)
    # A log that cannot be printed is in its file.
    logging.raiseExceptions = False
    try:
        with interruptible():
            yield
            print(end='', flush=True)
    except KeyboardInterrupt as stop:
        say(f'interrupted{f": {stop}" if str(stop) else ""}', sys.stderr)
        sys.exit(130)
    except Exception as error:
        message = message_for_user(error)
        if isinstance(error, _PrintError):
            _drop(stdout)
            if isinstance(error.__cause__, BrokenPipeError):
                sys.exit(0)
        if message is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        say(f'error: {message}', sys.stderr)
        sys.exit(status)
    finally:
        sys.stdout, logging.raiseExceptions = stdout, told


@contextmanager
def interruptible(advice: Callable[[], str] | None = None) -> Iterator[None]:
    """Have an interruption (Ctrl-C) end this process, which ends its workers.

    The terminal interrupts them as well. They would end at any point, with tracebacks,
    and this process take that for the cause.

    Args:
        advice: Says what is done, and how to go on.

    Raises:
        KeyboardInterrupt: With the advice, whatever the interruption led to.
    """
    process, hook = os.getpid(), sys.unraisablehook
    before = signal.getsignal(signal.SIGINT)
    interrupted = False

    def interrupt(number: int, frame: Any) -> None:
        nonlocal interrupted
        # Threads that are cut off from the other side have nothing to add.
        sys.excepthook = _pass_over
        if os.getpid() == process:
            interrupted = True
            raise KeyboardInterrupt

    def try_again(ignored: Any) -> None:
        # Python drops what is raised in a destructor or while it forks a process.
        if issubclass(ignored.exc_type, KeyboardInterrupt) and os.getpid() == process:
            threading.Timer(0.1, os.kill, (process, signal.SIGINT)).start()
        elif not interrupted:
            hook(ignored)

    # Not in a thread, nor where interruptions are ignored, as in a shell's background.
    in_main = threading.current_thread() is threading.main_thread()
    if watched := in_main and callable(before):
        signal.signal(signal.SIGINT, interrupt)
        sys.unraisablehook = try_again
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        said = ()
        if isinstance(error, KeyboardInterrupt):
            interrupted, said = True, error.args
        if not interrupted:
            raise
        raise KeyboardInterrupt(*([advice()] if advice else said)) from None
    finally:
        if watched:
            signal.signal(signal.SIGINT, before)
            sys.unraisablehook = _pass_over if interrupted else hook


def _pass_over(*_: Any) -> None:
    """An exception that nobody needs to know of."""


class _PrintError(MMSignError):
    """Standard output takes no more."""


class _Printer:
    """Standard output, with errors that differ from those of other files."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with explain(_PrintError, 'the output cannot be printed', OSError):
            return self._stream.write(text)

    def flush(self) -> None:
        with explain(_PrintError, 'the output cannot be printed', OSError):
            self._stream.flush()


def _drop(stream: IO[str]) -> None:
    """Let a stream that takes no more lead nowhere, or Python complains as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(text: str, stream: IO[str] | None = None) -> None:
    """Print a line where that is not the work itself, which goes on if it fails.

    Args:
        text: To print.
        stream: Where to; None for standard output.
    """
    stream = stream or sys.stdout
    try:
        # The end of the line with it, or another thread's line comes in between.
        print(f'{text}\n', end='', file=stream, flush=True)
    except (OSError, _PrintError):
        _drop(stream)


def with_progress(items: Sequence[_Item]) -> Iterable[_Item]:
    """The items, with a bar on standard error where somebody watches: not in a log."""
    if not items or not sys.stderr.isatty():
        return items
    # Imported here, as not every tool needs MMEngine.
    from mmengine.utils import track_iter_progress

    return track_iter_progress(items, file=sys.stderr)


def end_process() -> None:
    """End one of several processes once its work is done and written.

    Leaving the interpreter as usual, gloo's threads may still be running when they
    are torn down, and the process then aborts ("terminate called without an active
    exception") after all went well. A single process returns and ends as usual.
    """
    if int(os.environ.get('WORLD_SIZE', '1')) < 2:
        return
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
