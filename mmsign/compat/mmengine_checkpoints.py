"""MMEngine's runner and model zoo on safe checkpoints.

Answered faults of MMEngine 0.10:

* It loads files and downloads with torch's default, which before 2.6 runs code, and
  since 2.6 refuses what MMEngine saves. Can go when it passes ``weights_only=True``
  and saves its message hub as plain data.
* It writes a checkpoint in place, so a kill leaves half a file under its final name,
  and finds the latest one by an absolute path in a text file. Here a checkpoint
  appears under its name when it is complete, and the latest one is found also after
  the folder was moved. Can go when MMEngine does the same.
"""

import warnings
from typing import Any

from mmengine import runner
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from mmsign.compat.checkpoints import (
    find_latest_checkpoint,
    load_checkpoint,
    write_checkpoint,
)
from mmsign.compat.primitive_state import to_primitive
from mmsign.download import local_copy

# Sections whose odd objects inform people but are not needed to go on training.
_INFORMATIVE = ('checkpoint.meta.', 'checkpoint.message_hub.')

_upstream_save_checkpoint = mmengine_checkpoint.save_checkpoint


def save_checkpoint(
    checkpoint: dict[str, Any],
    filename: str,
    file_client_args: dict | None = None,
    backend_args: dict | None = None,
) -> None:
    """``mmengine.runner.save_checkpoint``, plain and in one piece.

    Raises:
        NotPlainError: an entry that training needs (the weights, the optimizer,
            the schedulers) has no plain form. Such entries of ``meta`` and
            ``message_hub`` are left out with a warning.
    """
    plain = to_primitive(checkpoint, drop=_leave_out)
    if file_client_args is None and _is_local(filename, backend_args):
        write_checkpoint(plain, filename)
    else:
        _upstream_save_checkpoint(plain, filename, file_client_args, backend_args)


def _leave_out(where: str, value: Any) -> bool:
    if not where.startswith(_INFORMATIVE):
        return False
    warnings.warn(
        f'{where}, a {type(value).__qualname__}, is not plain data and is left out '
        'of the checkpoint',
        stacklevel=2,
    )
    return True


def _is_local(filename: str, backend_args: dict | None) -> bool:
    if '://' in filename:
        return False
    backend = get_file_backend(filename, backend_args=backend_args)
    return isinstance(backend, LocalBackend)


# MMEngine logs the name of a loader after "load_from_".
def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    return load_checkpoint(filename, map_location)


def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Download to torch's cache, then load safely."""
    path = local_copy(filename, folder=model_dir, progress=progress)
    return load_checkpoint(path, map_location)


def install_checkpoint_io() -> None:
    """Make MMEngine's runner and model zoo use the functions of this module."""
    for module in (mmengine_checkpoint, runner.runner, runner):
        module.save_checkpoint = save_checkpoint
        module.find_latest_checkpoint = find_latest_checkpoint
    mmengine_checkpoint.load_from_local = load_from_local
    mmengine_checkpoint.load_from_http = load_from_http
    register = CheckpointLoader.register_scheme
    register(prefixes='', loader=load_from_local, force=True)
    register(prefixes=('http://', 'https://'), loader=load_from_http, force=True)
