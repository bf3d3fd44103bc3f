"""MediaPipe Holistic's landmarks, or any named points, as the 79 keypoints.

Symbols: N frames, 79 keypoints in the order of the network's channels. A frame's named
points are a mapping name → (x, y) or (x, y, score). MediaPipe's are called
``pose_0`` … ``pose_32``, ``face_0`` … ``face_467``, ``left_hand_0`` … ``left_hand_20``
and ``right_hand_0`` … ``right_hand_20``, after its four lists; left and right are the
signer's there, too.

A table says where a named point goes: name → index among the 133 points of
COCO-WholeBody. Of those, the 79 are taken that the network uses.

Files of named points hold one clip each, as CSV or JSON.

CSV, with a header, one row per point and frame: ``frame`` (a number; frames that no
row names have no points), ``x``, ``y``, perhaps ``score`` or ``visibility``, and the
name of the point: in ``point``, or as ``type`` and ``landmark_index`` (``face`` and
``33`` are ``face_33``). Empty coordinates are points that were not found.

JSON: a list with one object per frame, either name → [x, y] or [x, y, score], or with
MediaPipe's ``pose_landmarks``, ``face_landmarks``, ``left_hand_landmarks`` and
``right_hand_landmarks``.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mmsign.errors import DataError, explain
from mmsign.files import read_json, read_lines
from mmsign.keypoints import LAYOUT_SIZES, select_79

from .mmpose_json import highest_frame

# COCO's 17 body points without hips and legs, in its order: nose, eyes, ears,
# shoulders, elbows, wrists, each left before right.
_BODY = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16)
# Of the 68 points of iBUG (23 is its point 0 among the 133) those that are used.
_FACE = {
    # The jaw from the right ear to the left, each third of its 17 points.
    **{0: 162, 3: 58, 6: 149, 9: 377, 12: 397, 15: 454},
    # Right eyebrow: second and innermost point; left eyebrow: the middle.
    **{18: 63, 21: 107, 24: 334},
    # Between the eyes, the tip of the nose, below the nose.
    **{27: 168, 30: 4, 33: 2},
    # Corners of the right eye (outer, inner) and of the left (inner, outer).
    **{36: 33, 39: 133, 42: 362, 45: 263},
    # Outer lips: right corner, upper, upper, left corner, lower, lower.
    **{48: 61, 50: 37, 52: 267, 54: 291, 56: 314, 58: 84},
    # Inner lips: right corner, top, left corner, bottom.
    **{60: 78, 62: 13, 64: 308, 66: 14},
}

MEDIAPIPE_TABLE: dict[str, int] = {
    **{f'pose_{source}': target for target, source in enumerate(_BODY)},
    **{f'face_{source}': 23 + target for target, source in _FACE.items()},
    # Both number the 21 points of a hand alike.
    **{f'left_hand_{index}': 91 + index for index in range(21)},
    **{f'right_hand_{index}': 112 + index for index in range(21)},
}
"""MediaPipe's landmark → index among the 133; the network's 79 points all have one."""

HOLISTIC = 'mediapipe-holistic'
"""What the estimator is called where its points are used, whichever its version."""

_COUNT = LAYOUT_SIZES['coco_wholebody_133']
PARTS = ('pose', 'face', 'left_hand', 'right_hand')
UNUSABLE = float(np.finfo(np.float16).max)
"""Coordinates are below it: a keypoint file holds no more."""
LANDMARK_SUFFIXES = ('.csv', '.json')

Frame = dict[str, tuple[float, ...]]


def holistic_points(result: object) -> Frame:
    """The named points of what MediaPipe Holistic returns for one frame.

    Args:
        result: With the attributes or keys ``pose_landmarks``, ``face_landmarks``,
            ``left_hand_landmarks`` and ``right_hand_landmarks``; each is None, a
            list of landmarks, or an object with such a list as ``landmark``. A
            landmark has x, y and perhaps ``visibility``, as attributes or keys, or
            is a sequence that begins with x and y.

    Returns:
        Name → (x, y) or (x, y, visibility); of parts that were not found, nothing.
    """
    points = {}
    for part in PARTS:
        landmarks = _get(result, f'{part}_landmarks')
        landmarks = _get(landmarks, 'landmark', landmarks) or ()
        for index, landmark in enumerate(landmarks):
            if isinstance(landmark, Sequence):
                values = tuple(landmark[:2])
            else:
                values = (_get(landmark, 'x'), _get(landmark, 'y'))
                visibility = _get(landmark, 'visibility')
                # Only those of the body have one; elsewhere it reads 0 or None.
                if part == 'pose' and visibility is not None:
                    values += (visibility,)
            points[f'{part}_{index}'] = values
    return points


def _get(thing: object, name: str, default: object = None) -> object:
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    return getattr(thing, name, default)


def keypoints_79(
    frames: Iterable[Mapping[str, Sequence[float]]],
    table: Mapping[str, int] = MEDIAPIPE_TABLE,
    frame_size: tuple[int, int] = (1, 1),
    normalized: bool = True,
) -> np.ndarray:
    """Keypoints of a clip from the named points of its frames.

    A keypoint that a frame lacks, or whose coordinates are not numbers below 65504, has
    score 0 and lies a frame's width and height outside the frame, where its heatmap is
    empty.

    Args:
        frames: N frames; points without a place in the table are passed over. A
            point without a score has score 1; scores are limited to 0..1.
        table: Name → index among the 133.
        frame_size: (width, height) in pixels.
        normalized: Coordinates are shares of the frame's width and height, as
            MediaPipe gives them, with 0 and 1 at its edges; otherwise in pixels.

    Returns:
        (N, 79, 3) float32: x px, y px, score. A pixel's centre has whole
        coordinates.

    Raises:
        ValueError: If the table names an index that is none of the 133, or a point
            has neither two nor three values.
    """
    return placed(points_133(frames, table), frame_size, normalized)


def points_133(
    frames: Iterable[Mapping[str, Sequence[float]]], table: Mapping[str, int]
) -> np.ndarray:
    """The named points of N frames as an array, see ``keypoints_79``.

    Returns:
        (N, 133, 3) float64: x, y as they are given, and a score; NaN where a frame
        lacks the point.
    """
    checked_table(table)
    frames = list(frames)
    points = np.full((len(frames), _COUNT, 3), np.nan)
    for number, frame in enumerate(frames):
        for name, values in frame.items():
            if name not in table:
                continue
            if len(values) not in (2, 3):
                raise DataError(f'frame {number}: {name!r} has {len(values)} values')
            points[number, table[name]] = [*values, 1.0][:3]
    return points


def checked_table(table: Mapping[str, int]) -> None:
    """Raise DataError if a table names an index that is none of the 133."""
    for name, index in table.items():
        if not 0 <= index < _COUNT:
            raise DataError(f'{name!r} has index {index}, expected 0 to {_COUNT - 1}')


def placed(
    points: np.ndarray, frame_size: tuple[int, int], normalized: bool = True
) -> np.ndarray:
    """Points in a frame as keypoints, see ``keypoints_79``.

    Args:
        points: (N, 133, 3): x, y, score; NaN for what was not found.
        frame_size: (width, height) in pixels.
        normalized: Whether x and y are shares of it.

    Returns:
        (N, 79, 3) float32.
    """
    points = np.array(points, np.float64)
    if normalized:
        # Shares count from the outer edge of the first pixel.
        points[..., :2] = points[..., :2] * frame_size - 0.5
    found = (np.abs(points) < UNUSABLE).all(axis=2)
    points[..., 2] = points[..., 2].clip(0, 1)
    width, height = frame_size
    points[~found] = (-width, -height, 0)
    return select_79(points.astype(np.float32), 'coco_wholebody_133')


def read_landmarks(path: str | Path) -> list[Frame]:
    """The named points of a clip, frame by frame.

    Returns:
        Per frame: name → (x, y) or (x, y, score), as in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: Naming file and line or frame, if it is laid out otherwise
            or holds no point at all.
    """
    path = Path(path)
    readers = dict(zip(LANDMARK_SUFFIXES, (_read_csv, _read_json)))
    if path.suffix.lower() not in readers:
        raise DataError(f'{path}: expected a file of {" or ".join(LANDMARK_SUFFIXES)}')
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    frames = readers[path.suffix.lower()](path)
    if not any(frames):
        raise DataError(f'{path}: holds no point in any frame')
    return frames


def read_table(path: str | Path) -> dict[str, int]:
    """A table for ``keypoints_79``: a JSON object, name → index among the 133.

    Raises:
        DataError: If it is something else.
    """
    table = read_json(path)
    if not isinstance(table, dict) or {*map(type, table.values())} - {int}:
        raise DataError(f'{path}: expected names with indices, such as {{"nose": 0}}')
    return table


def _read_csv(path: Path) -> list[Frame]:
    rows = csv.DictReader(f'{line}\n' for line in read_lines(path))
    frames: dict[int, Frame] = {}
    try:
        columns = set(rows.fieldnames or ())
        names = ['point'] if 'point' in columns else ['type', 'landmark_index']
        if not {'frame', 'x', 'y', *names} <= columns:
            raise DataError(
                f'columns {", ".join(sorted(columns)) or "none"}; expected frame, x, y '
                'and point, or type and landmark_index'
            )
        score = next((c for c in ('score', 'visibility') if c in columns), None)
        for row in rows:
            number = int(row['frame'])
            if number < 0:
                raise DataError(f'frame {number}, expected 0 or more')
            points = frames.setdefault(number, {})
            name = '_'.join(str(row[column]) for column in names)
            if row['x'] and row['y']:
                if name in points:
                    raise DataError(f'frame {number} has two points {name}')
                values = [row['x'], row['y'], row[score] if score else None]
                points[name] = tuple(float(value) for value in values if value)
    except (csv.Error, TypeError, ValueError) as error:
        raise DataError(f'{path}, line {rows.line_num}: {error}') from error
    if not frames:
        return []
    # Tables that were cut from longer videos begin with a later frame.
    first, last = min(frames), max(frames)
    if last - first > highest_frame(len(frames)):
        raise DataError(f'{path}: frame {last} cannot be, {len(frames)} are listed')
    return [frames.get(number, {}) for number in range(first, last + 1)]


def _read_json(path: Path) -> list[Frame]:
    content = read_json(path)
    if not isinstance(content, list):
        raise DataError(f'{path}: expected a list with one object per frame')
    frames = []
    for number, frame in enumerate(content):
        text = f'{path}: frame {number}: no points'
        with explain(DataError, text, AttributeError, TypeError, ValueError):
            if any(f'{part}_landmarks' in frame for part in PARTS):
                frame = holistic_points(frame)
            found = {n: v for n, v in frame.items() if v is not None}
            frames.append({n: tuple(map(float, v)) for n, v in found.items()})
    return frames
