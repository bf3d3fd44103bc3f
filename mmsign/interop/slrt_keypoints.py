"""The paper authors' keypoint files.

Symbols: N frames of a clip.
"""

from __future__ import annotations

import os

import numpy as np
import torch

from mmsign.errors import DataError
from mmsign.keypoints import LAYOUT_SIZES

from .restricted_pickle import read_pickle
from .slrt_annotations import slrt_clip_id

_POINTS = LAYOUT_SIZES['coco_wholebody_133']


def read_slrt_keypoints(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read a pickle, gzip or not: a dict name → ``{'keypoints': (N, 133, 3)}``.

    The whole file is in memory while it is read: convert it to the native format
    once (``tools/convert/keypoints.py``).

    Returns:
        (N, 133, 3) arrays of floats by clip id (see ``slrt_clip_id``): x and y in
        pixels of the frame, score.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the file and the clip, if it is laid out otherwise or
            holds more than plain data.
    """
    name = os.fspath(path)
    content = read_pickle(path)
    if not isinstance(content, dict) or not content:
        raise DataError(
            f"{name}: expected the authors' keypoints, a dict with an entry per clip, "
            f'found a {type(content).__name__}'
        )
    clips: dict[str, np.ndarray] = {}
    for clip, entry in content.items():
        points = entry.get('keypoints') if isinstance(entry, dict) else None
        if isinstance(points, torch.Tensor):
            points = points.float().numpy()
        good = (
            isinstance(clip, str)
            and isinstance(points, np.ndarray)
            and points.dtype.kind in 'fiu'
            and points.ndim == 3
            and points.shape[1:] == (_POINTS, 3)
        )
        if not good:
            found = getattr(points, 'shape', type(points).__name__)
            shown = clip if isinstance(clip, str) else type(clip).__name__
            raise DataError(
                f'{name}: clip {shown}: expected an array (N, {_POINTS}, 3) of numbers '
                f'under the key keypoints, found {found}'
            )
        clip_id = slrt_clip_id(clip)
        if clip_id in clips:
            raise DataError(f'{name}: clip {clip_id} occurs twice')
        clips[clip_id] = points
    return clips
