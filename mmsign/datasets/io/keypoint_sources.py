"""Keypoints of whole corpora in other people's files.

Symbols: N frames of a clip, K keypoints.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmsign.errors import DataError
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.interop.slrt_keypoints import read_slrt_keypoints

from ..clip_names import clip_name, same_name
from .keypoint_file import KeypointFile

Clips = dict[str, Callable[[], np.ndarray]]


def open_keypoint_source(path: str | os.PathLike) -> Clips:
    """Find the clips of a source; each is read when it is asked for.

    Args:
        path: One of

            - a JSON file of MMPose's inferencer, one clip, or a folder of them:
              ``NAME.json`` or ``NAME.mmpose.json``, also in folders within;
            - a keypoint file in the native format (``.safetensors``);
            - the paper authors' pickle, gzip-compressed or not.

    Returns:
        By clip id, a function that returns the (N, K, 3) array.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: Naming the file, if it holds something else.
    """
    path = Path(path)
    if path.is_dir():
        return _json_folder(path)
    if not path.is_file():
        raise FileNotFoundError(f'no keypoints {path}')
    if path.suffix.lower() == '.json':
        return _json_clips([path], path.parent)
    if path.suffix.lower() == '.safetensors':
        file = KeypointFile(path)
        return {clip: lambda clip=clip: file.read(clip) for clip in file.clip_ids}
    clips = read_slrt_keypoints(path)
    return {clip: lambda clip=clip: clips[clip] for clip in clips}


def _json_folder(folder: Path) -> Clips:
    paths = sorted(p for p in folder.rglob('*') if p.suffix.lower() == '.json')
    if not paths:
        raise DataError(
            f"{folder}: the folder holds no .json file; expected MMPose's, one per clip"
        )
    return _json_clips(paths, folder)


def _json_clips(paths: list[Path], folder: Path) -> Clips:
    clips: Clips = {}
    for path in paths:
        clip = same_name(clip_name(path, folder))
        if clip in clips:
            raise DataError(f'{path}: a second file for clip {clip}')
        clips[clip] = lambda path=path: read_mmpose_json(path)
    return clips
