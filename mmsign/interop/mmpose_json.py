"""Keypoints as MMPose's inferencer writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mmsign.errors import DataError


def read_mmpose_json(path: str | Path) -> np.ndarray:
    """Read the JSON that MMPose's inferencer writes for one video.

    The file is a list with one entry per frame (its demo writes such a list under the
    key ``instance_info``), each with ``instances`` that
    hold ``keypoints`` (K pairs x, y in pixels) and ``keypoint_scores`` (K). Of
    several persons in a frame the one with the highest mean score is taken; a
    frame without a person has zeros with score 0.

    Returns:
        (N, K, 3) float32: x and y in pixels, score.

    Raises:
        DataError: Naming the file and the frame, if it is laid out otherwise
            or holds no person in any frame.

    Examples:
        >>> person = dict(keypoints=[[12.5, 80.0]], keypoint_scores=[0.9])
        >>> frames = [dict(instances=[person]), dict(instances=[])]
        >>> _ = Path('clip.json').write_text(json.dumps(frames))
        >>> read_mmpose_json('clip.json').shape
        (2, 1, 3)
    """
    try:
        frames = json.loads(Path(path).read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise DataError(f'{path} is not a JSON file: {error}') from error
    if isinstance(frames, dict):
        frames = frames.get('instance_info')
    if not isinstance(frames, list) or not frames:
        raise DataError(f'{path}: expected a list with one entry per frame')
    poses: list[np.ndarray | None] = []
    for index, frame in enumerate(frames):
        try:
            persons = [_pose(person) for person in frame['instances']]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f'{path}: frame {index} is not laid out as MMPose writes it: each '
                f'needs instances with keypoints and keypoint_scores ({error!r})'
            ) from error
        best = max(persons, key=lambda pose: pose[:, 2].mean(), default=None)
        poses.append(best)
    shapes = {pose.shape for pose in poses if pose is not None}
    if len(shapes) != 1:
        raise DataError(
            f'{path}: expected one number of keypoints in all frames, found '
            f'{sorted(shapes) or "no person in any frame"}'
        )
    empty = np.zeros(shapes.pop(), np.float32)
    return np.stack([empty if pose is None else pose for pose in poses])


def _pose(person: Any) -> np.ndarray:
    """(K, 3) float32 of one person."""
    points = np.asarray(person['keypoints'], dtype=np.float64)
    scores = np.asarray(person['keypoint_scores'], dtype=np.float64)
    if points.shape != (*scores.shape, 2) or scores.ndim != 1 or not scores.size:
        raise DataError(f'{points.shape} keypoints and {scores.shape} scores')
    pose = np.column_stack([points, scores])
    if not np.isfinite(pose).all() or np.abs(pose).max() > np.finfo(np.float32).max:
        raise DataError('a keypoint is not finite')
    return pose.astype(np.float32)
