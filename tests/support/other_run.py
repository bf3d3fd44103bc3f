"""Another process that trains in a work folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLDER = """
import sys, time
from mmengine.config import Config
from mmsign.engine.launch import locked_work_dir
with locked_work_dir(Config(dict(work_dir=sys.argv[1])), 'train'):
    print('locked', flush=True)
    time.sleep(300)
"""


@contextmanager
def another_run(folder: Path) -> Iterator[subprocess.Popen]:
    """A process that holds the lock of a folder."""
    command = [sys.executable, '-c', HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == 'locked\n'
            yield process
        finally:
            process.kill()
