"""Checkpoints that load without running code, and that a kill cannot halve.

torch 2.6 and later load with ``weights_only=True``, which refuses MMEngine's own
checkpoints (their message hub pickles functions); before 2.6 the default runs
whatever code a file holds. Here every file is loaded with ``weights_only=True`` on
every torch, and what is saved is primitive (``mmsign.compat.primitive_state``).
``mmsign.compat.mmengine_checkpoints`` has MMEngine do the same.

Foreign checkpoints that need pickled objects are refused with a
``CheckpointError`` that says how to trust them.
"""

import contextlib
import os
import pickle
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from mmsign.compat.primitive_state import from_primitive, to_primitive
from mmsign.errors import CheckpointError
from mmsign.files import replacing

TRUST_VARIABLE = 'MMSIGN_TRUST_CHECKPOINT'


def is_trusted() -> bool:
    """Whether ``MMSIGN_TRUST_CHECKPOINT`` allows checkpoints to run code."""
    value = os.environ.get(TRUST_VARIABLE, '').strip().lower()
    return value not in ('', '0', 'false', 'no', 'off')


def load_checkpoint(
    path: str | os.PathLike[str], map_location: Any = 'cpu', mmap: bool = False
) -> dict[str, Any]:
    """Read a checkpoint file without running code from it, unless that is allowed.

    Args:
        path: A file that ``torch.save`` wrote.
        map_location: As in ``torch.load``.
        mmap: Map the tensors into memory instead of reading them; cheap when
            only a few entries are looked at.

    Returns:
        The dictionary in the file, with MMEngine's history buffers and numpy
        values rebuilt.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is damaged, holds no dictionary, or needs
            objects that only a trusted file may bring.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'checkpoint {path} does not exist')
    trusted = is_trusted()
    try:
        with contextlib.nullcontext() if trusted else _numpy_values_admitted():
            loaded = torch.load(
                # The first versions that map files take no Path.
                str(path),
                map_location=map_location,
                weights_only=not trusted,
                # Files of torch before 1.6 are no archives and cannot be mapped.
                mmap=mmap and zipfile.is_zipfile(path),
            )
        loaded = from_primitive(loaded)
    except Exception as error:
        # The instructions of a damaged file go wrong in any way.
        raise CheckpointError(_unreadable(path, error)) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(
            f'{path} holds a {type(loaded).__name__}; a checkpoint is a dictionary'
        )
    meta = loaded.get('meta')
    if not trusted and isinstance(meta, dict):
        # MMEngine's runner executes the text under this key when it resumes, to read
        # a setting of years ago; nothing writes the key any more.
        meta.pop('config', None)
    return loaded


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _unreadable(path: Path, error: Exception) -> str:
    needs = re.search(r'GLOBAL ([\w.]+)', str(error))
    if isinstance(error, pickle.UnpicklingError) and (
        needs or zipfile.is_zipfile(path)
    ):
        # Torch's advice surrounds the reason.
        said = re.search(r'WeightsUnpickler error: (.+)', str(error))
        reason = said[1].strip() if said else _first_line(error)
        return (
            f'{path} was refused: loading it may run code from the file '
            f'({f"it needs {needs[1]}" if needs else reason}). '
            "mmsign's own checkpoints never do. If you trust whoever made the file, "
            f'set {TRUST_VARIABLE}=1, or pass --trust-checkpoint to tools/train.py or '
            'tools/test.py.'
        )
    return (
        f'{path} cannot be read as a checkpoint: it is damaged, incomplete or not a '
        f'file that torch.save wrote ({_first_line(error)})'
    )


def _numpy_values_admitted() -> contextlib.AbstractContextManager:
    """Admit numpy's number and string arrays and scalars, which run no code.

    Arrays of objects and records stay refused. Before torch 2.7 there is no way
    to name the module that numpy 1 wrote, so numpy values are refused there.
    """
    version = tuple(int(n) for n in torch.__version__.split('+')[0].split('.')[:2])
    if version < (2, 7):
        return contextlib.nullcontext()
    # numpy 1.26 has a `_core` too, with next to nothing in it.
    core = np.core if np.__version__.startswith('1.') else np._core
    multiarray = core.multiarray
    admitted: list[Any] = [np.ndarray, np.dtype]
    for module in ('numpy._core.multiarray', 'numpy.core.multiarray'):
        admitted.append((multiarray._reconstruct, f'{module}._reconstruct'))
        admitted.append((multiarray.scalar, f'{module}.scalar'))
    # numpy 1.25 and later give each dtype its own class.
    codes = '?bBhHiIlLqQefdgFDGUS'
    admitted += list({type(np.dtype(code)) for code in codes} - {np.dtype})
    return torch.serialization.safe_globals(admitted)


def write_checkpoint(checkpoint: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write primitive data so that ``path`` is at all times absent or complete.

    Raises:
        NotPlainError: an entry has no primitive form; see ``to_primitive``.
        CheckpointError: the file cannot be written, for a full disk say; what was
            there before is untouched.
    """
    plain = to_primitive(checkpoint)
    path = Path(path)
    try:
        with replacing(path, durable=True) as file:
            torch.save(plain, file)
    except (OSError, RuntimeError) as error:
        # torch has RuntimeErrors of its own for a file that takes no more bytes.
        raise CheckpointError(_unwritable(path, error)) from error


def _unwritable(path: Path, error: Exception) -> str:
    reason = getattr(error, 'strerror', None) or _first_line(error)
    room = ''
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(path.parent).free
        room = f'; {free / 2**30:.1f} GiB are free there'
    last = find_latest_checkpoint(path.parent) if path.parent.is_dir() else None
    kept = (
        f'The last complete checkpoint is {last}: go on from it with --resume'
        if last
        else 'There is no earlier checkpoint'
    )
    return f'checkpoint {path} cannot be written ({reason}{room}). {kept}'


def find_latest_checkpoint(path: str | os.PathLike[str]) -> str | None:
    """The checkpoint that a run in folder ``path`` resumes from, if any.

    That is the one which ``last_checkpoint`` names; if the folder was moved, the
    file of that name in it; else the complete ``epoch_N.pth`` or ``iter_N.pth``
    with the greatest N.
    """
    folder = Path(path)
    pointer = folder / 'last_checkpoint'
    if pointer.is_file():
        named = pointer.read_text(encoding='utf-8').strip()
        for candidate in (Path(named), folder / Path(named).name):
            if named and candidate.is_file():
                return str(candidate)
    numbered = [
        (int(match.group(1)), file)
        for file in folder.glob('*.pth')
        if (match := re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', file.name))
    ]
    if not numbered:
        print_log(f'no checkpoint to resume from in {folder}', logger='current')
        return None
    return str(max(numbered)[1])
