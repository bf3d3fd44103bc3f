"""Another process that trains in a work folder."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from mmengine.config import Config

from mmsign.engine.launch import locked_work_dir


def _hold(folder: Path, pipe: Connection) -> None:
    with locked_work_dir(Config(dict(work_dir=str(folder))), 'train'):
        pipe.send('locked')
        time.sleep(300)


@contextmanager
def another_run(folder: Path) -> Iterator[multiprocessing.Process]:
    """A process that holds the lock of a folder."""
    context = multiprocessing.get_context('fork')
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold, args=(folder, theirs))
    process.start()
    try:
        assert ours.recv() == 'locked'
        yield process
    finally:
        process.kill()
        process.join()
