"""How a run ends: a user's mistake in a sentence, a bug in a traceback."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmsign.compat import CheckpointError
from mmsign.datasets.images import FrameReadError

TRACEBACK_VARIABLE = 'MMSIGN_TRACEBACK'
_PACKAGE = Path(__file__).resolve().parents[1]


class LaunchError(ValueError):
    """Arguments or config do not describe a run; the message says why."""


_MISTAKES = (LaunchError, CheckpointError, FileNotFoundError, FrameReadError)


def is_users_mistake(error: BaseException) -> bool:
    """Whether the message of ``error`` says all that a user needs.

    That is so for a missing file, for a checkpoint or a frame that cannot be read, and
    for what a ``raise`` statement of mmsign refuses (also that an optional package is
    missing); not for what goes wrong by accident.
    """
    if isinstance(error, _MISTAKES):
        return True
    if not isinstance(error, (ValueError, KeyError, OSError, ImportError)):
        return False
    last = traceback.extract_tb(error.__traceback__)[-1]
    by_mmsign = _PACKAGE in Path(last.filename).resolve().parents
    return by_mmsign and (last.line or '').startswith('raise')


def message_of(error: BaseException) -> str:
    """The message of an exception; a KeyError's without its quotes."""
    if isinstance(error, KeyError) and error.args:
        return str(error.args[0])
    return str(error)


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print a user's mistake in one line and exit with status 1.

    ``MMSIGN_TRACEBACK=1`` shows where it was found as well.
    """
    try:
        yield
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE) or not is_users_mistake(error):
            raise
        print(
            f'error: {message_of(error)}\n'
            f'({TRACEBACK_VARIABLE}=1 shows where this was found)',
            file=sys.stderr,
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
