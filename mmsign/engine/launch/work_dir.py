"""The folder of a run: one that can be written, and one run in it at a time."""

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mmengine.config import Config

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.files import check_writable, is_alive

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def set_work_dir(cfg: Config, work_dir: str | None, config_path: str) -> None:
    """The argument wins over the config, the config over the file's name.

    If the config itself lies there, the runner will write what it has made of it
    beside it, as ``NAME_run.py``.
    """
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(config_path).stem))
    given = Path(config_path)
    written = Path(cfg.work_dir, given.name)
    if written.exists() and written.samefile(given):
        renamed = given.with_name(f'{given.stem}_run{given.suffix}')
        object.__setattr__(cfg, '_filename', str(renamed))


def check_work_dir(cfg: Config) -> None:
    """Make the work folder and try to write there.

    Raises:
        ConfigError: Nothing can be written; better now than after an epoch.
    """
    check_writable(cfg.work_dir, f'the work folder {cfg.work_dir}')
    Path(cfg.work_dir).mkdir(parents=True, exist_ok=True)


@contextmanager
def locked_work_dir(cfg: Config, use: str) -> Iterator[None]:
    """Keep other runs of the same use out of the work folder meanwhile.

    They would write each other's checkpoints. Of several processes of one run the
    first holds the lock; the system releases it however the process ends.

    Args:
        cfg: With ``work_dir``, which exists, and ``launcher``.
        use: Such as ``train``: testing what a training has written so far is fine.

    Raises:
        ConfigError: Naming the process that holds it.
    """
    rank, _ = compat.launched(cfg.get('launcher', 'none'))
    if rank > 0:
        yield
        return
    path = Path(cfg.work_dir, f'.{use}.lock')
    with _open_locked(path) as file:
        file.truncate(0)
        file.write(
            f'process {os.getpid()} on {socket.gethostname()}, since '
            f'{time.strftime("%Y-%m-%d %H:%M:%S")}: {" ".join(sys.argv)}'
        )
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


def _open_locked(path: Path) -> IO[str]:
    while True:
        file = open(path, 'a+', encoding='utf-8', errors='replace')  # noqa: SIM115
        with suppress(FileNotFoundError):
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = False
            except (BlockingIOError, PermissionError):
                held = True
            except (OSError, AttributeError):  # a file system or platform without
                held = _names_live_process(path.read_text(encoding='utf-8'))
            if held:
                file.seek(0)
                with file:
                    raise ConfigError(
                        f'the work folder {path.parent} is in use ({file.read()}): '
                        'wait for that run, or name another folder with --work-dir'
                    )
            # Else the holder before has just removed this very file.
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()


def _names_live_process(text: str) -> bool:
    found = re.match(r'process (\d+) on (.+), since ', text)
    return bool(found and found[2] == socket.gethostname() and is_alive(int(found[1])))
