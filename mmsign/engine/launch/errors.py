"""How a run ends: a user's mistake in a sentence, a bug in a traceback."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmsign.errors import MMSignError

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


def is_users_mistake(error: BaseException) -> bool:
    """Whether the message of ``error`` says all that a user needs.

    That is so for mmsign's own kinds of error, for a missing file and for a disk that
    refuses; not for what goes wrong by accident.
    """
    if isinstance(error, (MMSignError, FileNotFoundError)):
        return True
    return isinstance(error, OSError) and error.errno in _DISK_ERRORS


def message_of(error: BaseException) -> str:
    """The message of an exception; a KeyError's without its quotes.

    One from a data loader's worker comes with that worker's traceback in its
    message, which is left out.
    """
    message = str(error)
    if isinstance(error, KeyError) and error.args:
        message = str(error.args[0])
    if 'DataLoader worker process' in message.partition('\n')[0]:
        kind = re.escape(f'{type(error).__module__}.{type(error).__qualname__}: ')
        raised = re.split(rf'^{kind}', message, flags=re.MULTILINE)
        message = raised[-1].strip()
    return message


def cause_outside(error: BaseException) -> str | None:
    """What happened to another process, if ``error`` is only this one's echo of it.

    Returns:
        A message for a data loader's worker that was killed, or for another
        process of the run that is gone; None for all else.
    """
    if not isinstance(error, (RuntimeError, OSError)):
        return None
    # The signal, where torch knows it, is in the exception that led to this one.
    told = f'{error.__cause__ or error.__context__}\n{error}'
    died = _WORKER_DIED.search(told)
    if died is not None:
        pid, signal = died.groups()
        return (
            f'a data loader worker (process {pid}) '
            f'{_why_a_worker_dies(signal)}. {_CHECKPOINTS_ARE_WHOLE}'
        )
    several = int(os.environ.get('WORLD_SIZE', '1')) > 1
    if several and _PEER_DIED.search(str(error)):
        return (
            f'process {os.environ.get("RANK", "?")} lost the connection to another '
            'process of this run, which has ended or cannot be reached: its own '
            'message, or the root cause named below, says why. '
            f'{_CHECKPOINTS_ARE_WHOLE}'
        )
    return None


def _why_a_worker_dies(signal: str | None) -> str:
    if signal is None:
        return (
            'ended without a word. Run with train_dataloader.num_workers=0 to see '
            'what it meets'
        )
    signal = signal.strip()
    if signal == 'Killed':
        return (
            'was killed, most likely by the system because memory ran out (`dmesg` '
            'says so): use fewer workers (train_dataloader.num_workers), a smaller '
            'batch_size or a smaller prefetch_factor'
        )
    if signal == 'Bus error':
        return (
            'died of a bus error: either the shared memory of /dev/shm is full (in a '
            'container give it more, such as --shm-size=8g, or use fewer workers), or '
            'a file was overwritten in place while it was being read'
        )
    return f'was ended by a signal: {signal}'


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print a user's mistake, or another process' end, in one line; exit status 1.

    ``MMSIGN_TRACEBACK=1`` shows where it was found as well.
    """
    try:
        yield
    except Exception as error:
        message = cause_outside(error)
        if message is None and is_users_mistake(error):
            message = message_of(error)
        if message is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        print(
            f'error: {message}\n({TRACEBACK_VARIABLE}=1 shows where this was found)',
            file=sys.stderr,
            flush=True,
        )
        sys.exit(1)


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
