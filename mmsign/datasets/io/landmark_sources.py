"""Recordings of landmarks in other people's files: what there is, and what it shows.

Symbols: R recordings, N frames of one, D numbers of a frame (``VECTORS``).

Read are, in a folder at any depth or as a file alone:

- ``NAME.csv``, ``NAME.json``: named points of a recording, see ``mediapipe_points``;
- ``NAME.npy`` of shape (N, D): the vectors of a recording, see ``landmark_vectors``;
- a folder of ``.npy`` files of shape (D,): a recording, a file a frame, in the order of
  the numbers in their names;
- ``NAME.npz``: many recordings, see ``_archive``;
- ``NAME.pose``: a recording that says its frame size and rate, see ``pose_files``.

A recording is called by its path without suffix, and in a folder it shows the sign that
the folder is named after: ``book/3.npy`` and ``a/book/3/0.npy`` show ``book``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmsign.errors import DataError, explain
from mmsign.interop.landmark_vectors import (
    VECTORS,
    checked_size,
    read_array,
    read_arrays,
    vector_points,
)
from mmsign.interop.mediapipe_points import (
    HOLISTIC,
    LANDMARK_SUFFIXES,
    MEDIAPIPE_TABLE,
    points_133,
    read_landmarks,
)
from mmsign.interop.pose_files import POSE_SUFFIX, POSE_TABLE, read_pose
from mmsign.vocab import composed

from ..clip_names import clip_name
from .listing import files_under, in_order, left_out

SUFFIXES = (*LANDMARK_SUFFIXES, '.npy', '.npz', POSE_SUFFIX)
_LABELS, _SIGNERS = ('labels', 'y', 'glosses'), ('signers', 'signer')
_CLASSES = ('classes', 'actions', 'names')

Table = Mapping[str, int]

DEFAULT_TABLE: Table = MEDIAPIPE_TABLE | POSE_TABLE
"""Name of a point in files whose points are known → index among the 133."""


class Landmarks(NamedTuple):
    """What a recording shows.

    Attributes:
        points: (N, 133, 3) x, y, score; NaN where not found.
        frame_size: (width, height) in pixels, if the file says so: x and y are pixels
            then. None: the user knows it, and in what x and y are.
        fps: Frames per second, if the file says so.
        estimator: What made the points, as their names tell; None if these do not.
    """

    points: np.ndarray
    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    estimator: str | None = HOLISTIC


@dataclass(frozen=True)
class Recording:
    """One of them.

    Attributes:
        clip_id: What it is called.
        where: For errors.
        read: Table of points → what it shows; raises DataError.
        label: The sign that it is said to show; None if nothing says.
        signer: Who signs; empty if nothing says.
    """

    clip_id: str
    where: str
    read: Callable[[Table], Landmarks]
    label: str | None = None
    signer: str = ''


def find_recordings(
    source: str | os.PathLike, notify: Callable[[str], object] = print
) -> list[Recording]:
    """All recordings of a file or folder, in a fixed order.

    Args:
        source: To look through.
        notify: Is told which files are not looked at.

    Raises:
        FileNotFoundError: If it does not exist.
    """
    source = Path(source)
    if not source.exists():
        raise FileNotFoundError(f'{source} does not exist')
    root = source if source.is_dir() else source.parent
    files = list(files_under(root)) if source.is_dir() else [source]
    if notice := left_out(files, SUFFIXES):
        notify(notice)
    found: list[Recording] = []
    in_folders = False
    for folder, inside in groupby(files, lambda file: file.parent):
        files = list(inside)
        arrays = [file for file in files if file.suffix.lower() == '.npy']
        if _are_frames(arrays):
            in_folders = True
            found.append(_recording(folder, root, partial(_frames, folder, arrays)))
            files = [file for file in files if file not in arrays]
        for file in files:
            suffix = file.suffix.lower()
            if suffix == '.npz':
                found += _archive(file, root)
            elif suffix in SUFFIXES:
                read = {'.npy': _vectors, POSE_SUFFIX: _pose}.get(suffix, _named)
                found.append(_recording(file, root, partial(read, file)))
    # Where recordings are folders, an empty one is a recording too.
    for folder, folders, names in sorted(os.walk(source)) if in_folders else ():
        if not folders and not names:
            empty = partial(_refuse, DataError(f'{folder}: no frame'))
            found.append(_recording(Path(folder), root, empty))
    return found


def _recording(path: Path, root: Path, read: Callable) -> Recording:
    folder = path.parent
    label = composed(folder.name) if root not in (path, folder) else None
    name = path.resolve().name if path == root else clip_name(path, root)
    return Recording(composed(name), str(path), read, label)


def _named(file: Path, table: Table) -> Landmarks:
    frames = read_landmarks(file)
    if not any(name in table for frame in frames for name in frame):
        names = sorted({name for frame in frames for name in frame})
        shown = ', '.join(names[:3])
        raise DataError(f'{file}: the table knows none of its points ({shown}, …)')
    return Landmarks(points_133(frames, table))


def _pose(file: Path, table: Table) -> Landmarks:
    return Landmarks(**vars(read_pose(file, table)))


def _vectors(file: Path, table: Table) -> Landmarks:
    array = read_array(file)
    with explain(DataError, str(file), DataError):
        checked_size(array)
        if array.ndim != 2 or not len(array):
            raise DataError(
                f'an array of shape {array.shape}; expected one vector a frame, (N, D)'
            )
        return Landmarks(vector_points(array, table))


def _are_frames(arrays: list[Path]) -> bool:
    """Whether the first that can be read is a single frame."""
    for file in arrays:
        try:
            return read_array(file).ndim == 1
        except DataError:
            continue
    return False


def _frames(folder: Path, files: list[Path], table: Table) -> Landmarks:
    by_name = {file.name: file for file in files}
    rows = []
    for name in in_order(by_name, str(folder)):
        row = read_array(by_name[name])
        with explain(DataError, str(by_name[name]), DataError):
            checked_size(row)
            expected = rows[0].shape if rows else (row.shape[-1],)
            if row.shape != expected:
                raise DataError(
                    f'a frame of shape {row.shape} among others of {expected}'
                )
        rows.append(np.array(row))
    return Landmarks(vector_points(np.stack(rows), table))


def _archive(file: Path, root: Path) -> Iterator[Recording]:
    """The recordings of a ``.npz`` file.

    It holds one array of vectors: (R, N, D); or (frames of all, D) with ``offsets``
    (R + 1,), where each begins and the last ends; or (N, D) alone, one recording.
    Beside it ``labels`` (or ``y``, ``glosses``), (R,) names or numbers; of numbers the
    names are in ``classes`` (or ``actions``, ``names``). ``signers`` (R,) and ``ids``
    (R,) may say who signs and what the recordings are called.
    """
    alone = _recording(file, root, partial(_refuse, None))
    try:
        arrays = read_arrays(file)
        with explain(DataError, str(file), DataError):
            yield from _of_arrays(alone, arrays)
    except DataError as error:
        yield replace(alone, read=partial(_refuse, error))


def _refuse(error: DataError, table: Table) -> Landmarks:
    raise error


def _of_arrays(whole: Recording, arrays: dict[str, np.ndarray]) -> list[Recording]:
    """Those in an archive; ``whole`` is what it would be as a single one."""
    stated = {name: f'{x.dtype} {x.shape}' for name, x in arrays.items()}
    held = [x for x in arrays.values() if x.ndim in (2, 3) and x.shape[-1] in VECTORS]
    if len(held) != 1:
        sizes = ' or '.join(map(str, VECTORS))
        raise DataError(
            f'{len(held)} arrays of vectors ({sizes} numbers a frame), expected one; '
            f'it holds {stated}'
        )
    checked_size(held[0])
    clips = list(held[0]) if held[0].ndim == 3 else [held[0]]
    if held[0].ndim == 2 and 'offsets' in arrays:
        clips = np.split(held[0], _offsets(arrays['offsets'], len(held[0])))

    def column(*names: str) -> list[str] | None:
        name = next((name for name in names if name in arrays), None)
        if name is None:
            return None
        values = arrays[name]
        if values.shape != (len(clips),):
            raise DataError(
                f'{name} of shape {values.shape}, expected ({len(clips)},), one for '
                f'each recording; it holds {stated}'
            )
        if names == _LABELS and values.dtype.kind in 'iu':
            values = _named_classes(values, arrays)
        if values.dtype.kind not in 'US' and names != ('ids',):
            raise DataError(f'{name} are {values.dtype}, expected names')
        return [x.decode() if isinstance(x, bytes) else str(x) for x in values.tolist()]

    count, one = len(clips), held[0].ndim == 2 and len(clips) == 1
    digits = len(str(count - 1))
    numbered = [f'{whole.clip_id}-{number:0{digits}}' for number in range(count)]
    names = column('ids') or ([whole.clip_id] if one else numbered)
    labels = column(*_LABELS) or [whole.label if one else None] * count
    signers = column(*_SIGNERS) or [''] * count
    places = [f'{whole.where}, recording {name}' for name in names]
    reads = map(partial, repeat(_slice), places, clips)
    return list(map(Recording, map(composed, names), places, reads, labels, signers))


def _slice(where: str, vectors: np.ndarray, table: Table) -> Landmarks:
    if not len(vectors):
        raise DataError(f'{where}: no frame')
    return Landmarks(vector_points(vectors, table))


def _offsets(offsets: np.ndarray, frames: int) -> np.ndarray:
    """Where to cut."""
    rising = offsets.ndim == 1 and len(offsets) > 1 and np.all(np.diff(offsets) >= 0)
    whole = offsets.dtype.kind in 'iu' and rising
    if not whole or (offsets[0], offsets[-1]) != (0, frames):
        raise DataError(f'offsets must rise from 0 to the {frames} frames that it has')
    return offsets[1:-1]


def _named_classes(numbers: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    names = next((arrays[name] for name in _CLASSES if name in arrays), None)
    count = len(names) if names is not None and names.ndim == 1 else 0
    if not all(0 <= number < count for number in numbers.tolist()):
        raise DataError(
            f'labels are numbers up to {numbers.max()}, with {count} names of classes; '
            'expected an array classes that names them all'
        )
    return names[numbers]
