"""Keypoints of whole corpora in other people's files.

Symbols: N frames of a clip, K keypoints.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from mmsign.datasets.clip_names import clip_name
from mmsign.errors import DataError
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.interop.slrt_corpus import read_slrt_keypoints, slrt_clip_id, slrt_keypoints
from mmsign.vocab import composed

from .keypoint_file import KeypointFile
from .listing import files_under, left_out

Read = Callable[[], np.ndarray]


def open_keypoint_sources(
    paths: Iterable[str | os.PathLike],
    length_of: Callable[[str], int | None] = lambda clip_id: None,
) -> dict[str, Read]:
    """Find the clips of sources; each is read when it is asked for.

    Args:
        paths: Each one of

            - a JSON file of MMPose's inferencer, one clip, or a folder of them:
              ``NAME.json`` or ``NAME.mmpose.json``, also in folders within;
            - a keypoint file in the native format (``.safetensors``);
            - the paper authors' pickle, gzip-compressed or not: a dict name →
              ``{'keypoints': (N, 133, 3)}``. It is in memory as a whole.
        length_of: Clip id → frames of the clip, where known; MMPose's files may leave
            out the last ones.

    Returns:
        By clip id, a function that returns the (N, K, 3) array. It raises a DataError
        for a clip that is damaged, or that comes twice. A source that is damaged as
        a whole is an entry under its own name.

    Raises:
        FileNotFoundError: If a source does not exist.
    """
    for path in paths:
        if not os.path.exists(path):
            raise FileNotFoundError(f'no keypoints {path}')
    clips: dict[str, Read] = {}
    origin: dict[str, str] = {}
    for path in paths:
        try:
            for clip_id, where, read in _open(Path(path), length_of):
                if clip_id in clips:
                    both = f'{origin[clip_id]} and in {where}'
                    twice = DataError(f'clip {clip_id} is in {both}; leave one out')
                    read = partial(_raise, twice)
                clips[clip_id], origin[clip_id] = read, where
        except DataError as error:
            clips[os.fspath(path)] = partial(_raise, error)
    return clips


def estimator_of(
    paths: Iterable[str | os.PathLike], stated: str | None = None
) -> str | None:
    """What made the points of all sources.

    Args:
        paths: As of ``open_keypoint_sources``; keypoint files may say it.
        stated: What made those that do not.

    Returns:
        Its name; None if nobody says.

    Raises:
        DataError: If it is not the same for all.
    """
    names = {}
    for path in map(os.fspath, paths):
        is_native = path.lower().endswith('.safetensors')
        # One that is damaged is reported when its clips are read.
        with suppress(DataError):
            names[path] = (is_native and KeypointFile(path).estimator) or stated
    return agreed_estimator(names)


def agreed_estimator(names: Mapping[str, str | None]) -> str | None:
    """The estimator of all points that go into one file.

    Args:
        names: By source, None where nobody says.

    Raises:
        DataError: If it is not the same for all.
    """
    if len({*names.values()}) > 1:
        found = ', '.join(f'{path}: {by or "unknown"}' for path, by in names.items())
        raise DataError(
            f'keypoints of several estimators would be in one file ({found}): make a '
            'file of each, or name by --estimator what made the unknown ones'
        )
    return next(iter(names.values()), None)


def _raise(error: Exception) -> np.ndarray:
    raise error


def _open(
    path: Path, length_of: Callable[[str], int | None]
) -> Iterator[tuple[str, str, Read]]:
    """Id of each clip, where it is, and what reads it."""
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == '.json':
        folder = path if path.is_dir() else path.parent
        every = list(files_under(folder)) if path.is_dir() else [path]
        files = [file for file in every if file.suffix.lower() == '.json']
        if notice := left_out(every, ['.json']):
            print_log(notice)
        if not files:
            raise DataError(f"{path}: no .json file of MMPose's in the folder")
        for file in files:
            clip_id = composed(clip_name(file, folder))
            yield clip_id, str(file), partial(_mmpose, file, length_of, clip_id)
    elif suffix == '.safetensors':
        native = KeypointFile(path)
        for clip_id in native.clip_ids:
            yield clip_id, str(path), partial(native.read, clip_id)
    else:
        for clip, entry in read_slrt_keypoints(path):
            read = partial(slrt_keypoints, path, clip, entry)
            yield slrt_clip_id(str(clip)), f'{path} ({clip})', read


def _mmpose(path: Path, length_of: Callable, clip_id: str) -> np.ndarray:
    return read_mmpose_json(path, length_of(clip_id))
