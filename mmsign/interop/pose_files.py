"""Poses as sign language research exchanges them: ``.pose`` files of ``pose-format``.

Symbols: N frames, P persons, the 133 points of COCO-WholeBody.

A file holds components with named points, and says frame size and rate. Read are the
layouts of MediaPipe Holistic, of OpenPose (137 points) and of COCO-WholeBody (133);
written is the last one. Points are found by ``COMPONENT.POINT``, so that files from
which points were left out are read as well, and another layout by a table of one's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmsign.errors import DataError, explain, optional_import
from mmsign.files import replacing
from mmsign.keypoints import LAYOUT_SIZES, NAMES, PARTS, SELECTED_79, SKELETON
from mmsign.notices import warn
from mmsign.tracking import follow_person

from .mediapipe_points import HOLISTIC, MEDIAPIPE_TABLE

POSE_SUFFIX = '.pose'
_EXTRA = 'files'
_COUNT = LAYOUT_SIZES['coco_wholebody_133']
_BODY = NAMES[PARTS['upper_body']]  # the first eleven of the 133
_LEGS = ('hip', 'knee', 'ankle')
_FEET = ('big_toe', 'small_toe', 'heel')
_COCO = {
    'BODY': (
        *_BODY,
        *(f'{side}_{point}' for point in _LEGS for side in ('left', 'right')),
        *(f'{side}_{point}' for side in ('left', 'right') for point in _FEET),
    ),
    'FACE': tuple(f'face-{index}' for index in range(68)),
    'LEFT_HAND': tuple(f'hand_{index}' for index in range(21)),
    'RIGHT_HAND': tuple(f'hand_{index}' for index in range(21)),
}
"""Components of COCO-WholeBody in the order of the 133."""

# A hand's points from the root, four of each finger, as each layout calls them.
_MEDIAPIPE_HAND = (
    *('WRIST', 'THUMB_CMC', 'THUMB_MCP', 'THUMB_IP', 'THUMB_TIP'),
    *(
        f'{finger}_{joint}'
        for finger in ('INDEX_FINGER', 'MIDDLE_FINGER', 'RING_FINGER', 'PINKY')
        for joint in ('MCP', 'PIP', 'DIP', 'TIP')
    ),
)
_OPENPOSE_HAND = (
    *('BASE', 'T_STT', 'T_BCMC', 'T_MCP', 'T_IP'),
    *(f'{f}_{joint}' for f in 'IMRP' for joint in ('CMC', 'MCP', 'PIP', 'DIP')),
)
# OpenPose calls the points of iBUG by part and number: up to which, which part.
_OPENPOSE_FACE = {17: 'FB', 27: 'FEB', 36: 'FN', 48: 'FE', 60: 'FLO', 68: 'FLI'}


def _openpose_body(name: str) -> str:
    """``left_eye`` → ``LEye``, ``nose`` → ``Nose``."""
    *side, point = name.split('_')
    return ''.join(word[0].upper() for word in side) + point.capitalize()


def _hands(names: tuple[str, ...], left: str, right: str) -> dict[str, int]:
    starts = {left: 91, right: 112}
    return {
        f'{part}.{name}': start + index
        for part, start in starts.items()
        for index, name in enumerate(names)
    }


def _holistic() -> dict[str, int]:
    face = {
        f'FACE_LANDMARKS.{name.removeprefix("face_")}': index
        for name, index in MEDIAPIPE_TABLE.items()
        if name.startswith('face_')
    }
    body = {f'POSE_LANDMARKS.{name.upper()}': i for i, name in enumerate(_BODY)}
    hands = 'LEFT_HAND_LANDMARKS', 'RIGHT_HAND_LANDMARKS'
    return body | face | _hands(_MEDIAPIPE_HAND, *hands)


def _openpose() -> dict[str, int]:
    body = {
        f'pose_keypoints_2d.{_openpose_body(name)}': index
        for index, name in enumerate(_BODY)
    }
    face = {}
    for index in range(68):
        part = next(part for end, part in _OPENPOSE_FACE.items() if index < end)
        face[f'face_keypoints_2d.{part}_{index}'] = 23 + index
    hands = 'hand_left_keypoints_2d', 'hand_right_keypoints_2d'
    return body | face | _hands(_OPENPOSE_HAND, *hands)


def _coco(ending: str) -> dict[str, int]:
    names = (f'{part}{ending}.{name}' for part in _COCO for name in _COCO[part])
    return {name: index for index, name in enumerate(names)}


LAYOUTS = {
    'MediaPipe Holistic': _holistic(),
    'OpenPose 137': _openpose(),
    # As AlphaPose's files call them, too.
    'COCO-WholeBody 133': _coco('') | _coco('_133'),
}
"""By layout ``COMPONENT.POINT`` → index among the 133, of the points that are used."""

_MAKERS = {'MediaPipe Holistic': HOLISTIC, 'OpenPose 137': 'openpose'}

POSE_TABLE = {name: i for table in LAYOUTS.values() for name, i in table.items()}
"""All of them; no two layouts share a component."""


@dataclass(frozen=True)
class PoseRecording:
    """What is in a file.

    Attributes:
        points: (N, 133, 3) float64: x and y in pixels, the centre of the first being
            0, and a score; NaN for what was not found.
        frame_size: (width, height) in pixels.
        fps: Frames per second.
        estimator: What made the points, if the layout tells.
    """

    points: np.ndarray
    frame_size: tuple[int, int]
    fps: float
    estimator: str | None = None


def read_pose(
    path: str | os.PathLike,
    table: Mapping[str, int] = POSE_TABLE,
    notify: Callable[[str], Any] = warn,
) -> PoseRecording:
    """Read a file.

    Args:
        path: ``.pose``.
        table: ``COMPONENT.POINT`` → index among the 133.
        notify: Is told if several persons are seen; one is followed, see
            ``follow_person``.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming it, if it cannot be read, the table knows none of its points,
            or it states no frame size or rate.
        MissingPackageError: Without ``pose-format``.
    """
    library = optional_import('pose_format', _EXTRA)
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    # The library lets through whatever its parsing meets.
    with explain(DataError, f'{path}: no pose file that can be read', Exception):
        pose = library.Pose.read(path.read_bytes())
        data = np.ma.getdata(pose.body.data).astype(np.float64)
        scores = np.asarray(pose.body.confidence, np.float64)
        size, fps = pose.header.dimensions, float(pose.body.fps)
        size = int(size.width), int(size.height)
        components = [(c.name, tuple(c.points)) for c in pose.header.components]
    names = [
        (part, f'{part}.{point}') for part, points in components for point in points
    ]
    *shape, dims = data.shape
    if tuple(shape) != scores.shape or shape[2:] != [len(names)] or dims < 2:
        raise DataError(f'{path}: {data.shape} coordinates of {len(names)} points')
    known = {n: table[name] for n, (_, name) in enumerate(names) if name in table}
    if not known:
        there = ', '.join(f'{part} ({len(points)})' for part, points in components)
        raise DataError(
            f'{path}: unknown layout, components {there or "none"}; known are '
            f'{", ".join(LAYOUTS)}, of another give a table with names such as '
            f'{names[0][1] if names else "COMPONENT.POINT"!r}'
        )
    if min(size) < 2 or not 0 < fps < float('inf'):
        stated = f'{size[0]}×{size[1]} pixels, {fps:g} frames/s'
        raise DataError(f'{path}: it states {stated}; was it normalized?')
    if 0 in shape[:2]:
        raise DataError(f'{path}: {shape[0]} frames of {shape[1]} persons')
    found = np.full((*scores.shape[:2], _COUNT, 3), np.nan)
    places, sources = list(known.values()), list(known)
    found[:, :, places, :2] = data[:, :, sources, :2]
    found[:, :, places, 2] = scores[:, :, sources]
    # Holistic's shares times the frame's size count from the first pixel's edge.
    holistic = [i for n, i in known.items() if names[n][0].endswith('_LANDMARKS')]
    found[:, :, holistic, :2] -= 0.5
    found[~np.isfinite(found).all(axis=3) | ~(found[..., 2] > 0)] = np.nan
    layouts = {
        layout
        for layout, points in LAYOUTS.items()
        if not points.keys().isdisjoint(names[n][1] for n in known)
    }
    estimator = _MAKERS.get(layouts.pop()) if len(layouts) == 1 else None
    return PoseRecording(_one_person(found, path, notify), size, fps, estimator)


def _one_person(found: np.ndarray, path: Path, notify: Callable) -> np.ndarray:
    """(N, 133, 3) of (N, P, 133, 3)."""
    count, persons = found.shape[:2]
    if persons == 1:
        return found[:, 0]
    seen = np.isfinite(found[..., 2]).any(axis=2)
    there = [np.flatnonzero(row) for row in seen]
    boxes = [
        np.array([_box(found[frame, person]) for person in people])
        for frame, people in enumerate(there)
    ]
    scores = [
        np.array([np.nanmean(found[frame, person, :, 2]) for person in people])
        for frame, people in enumerate(there)
    ]
    followed = follow_person(boxes, scores, lambda text: notify(f'{path}: {text}'))
    points = np.full((count, *found.shape[2:]), np.nan)
    for frame in np.flatnonzero(followed >= 0):
        points[frame] = found[frame, there[frame][followed[frame]]]
    return points


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [np.nanmin(points[:, :2], axis=0), np.nanmax(points[:, :2], axis=0)]
    )


def write_pose(
    path: str | os.PathLike, points: np.ndarray, frame_size: tuple[int, int], fps: float
) -> None:
    """Write a file in the layout of COCO-WholeBody; complete or not at all.

    Args:
        path: ``.pose``.
        points: (N, K, 3): x px, y px, score; K = 133, or the 79 in their places, the
            other points being not found.
        frame_size: (width, height) in pixels.
        fps: Frames per second.

    Raises:
        DataError: If K is another.
        MissingPackageError: Without ``pose-format``.
    """
    library = optional_import('pose_format', _EXTRA)
    header = optional_import('pose_format.pose_header', _EXTRA)
    body = optional_import('pose_format.numpy', _EXTRA)
    points = np.asarray(points, np.float32)
    if points.ndim != 3 or points.shape[1:] not in [(_COUNT, 3), (len(NAMES), 3)]:
        raise DataError(
            f'{path}: keypoints of shape {points.shape}, expected (N, 133, 3)'
        )
    whole = np.zeros((len(points), _COUNT, 3), np.float32)
    whole[:, SELECTED_79 if points.shape[1] == len(NAMES) else slice(None)] = points
    whole[~(whole[..., 2] > 0)] = 0
    bones = [tuple(SELECTED_79[channel] for channel in bone) for bone in SKELETON]
    components, start = [], 0
    for name, names in _COCO.items():
        own = range(start, start + len(names))
        limbs = [(a - start, b - start) for a, b in bones if a in own and b in own]
        components.append(
            header.PoseHeaderComponent(name, list(names), limbs, [(0, 160, 255)], 'XYC')
        )
        start = own.stop
    size = header.PoseHeaderDimensions(*frame_size)
    pose = library.Pose(
        header.PoseHeader(0.2, size, components),
        body.NumPyPoseBody(float(fps), whole[:, None, :, :2], whole[:, None, :, 2]),
    )
    with replacing(path) as out:
        pose.write(out)
