"""Tables of named points, one clip a file: CSV or JSON.

CSV, with a header, one row per point and frame: ``frame`` (a number; frames that no
row names have no points), ``x``, ``y``, perhaps ``score`` or ``visibility``, and the
name of the point: in ``point``, or as ``type`` and ``landmark_index`` (``face`` and
``33`` are ``face_33``). Empty coordinates are points that were not found.

JSON: a list with one object per frame, either name → [x, y] or [x, y, score], or with
MediaPipe's ``pose_landmarks``, ``face_landmarks``, ``left_hand_landmarks`` and
``right_hand_landmarks``.
"""

from __future__ import annotations

import csv
from pathlib import Path

from mmsign.errors import DataError
from mmsign.files import read_json, read_lines

from .mediapipe_points import PARTS, holistic_points
from .mmpose_json import highest_frame

LANDMARK_SUFFIXES = ('.csv', '.json')

Frame = dict[str, tuple[float, ...]]


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
    if not isinstance(table, dict) or not all(
        type(index) is int for index in table.values()
    ):
        raise DataError(
            f'{path}: expected an object such as {{"nose": 0, "left_wrist": 9}}, names '
            'with indices among the 133 points of COCO-WholeBody'
        )
    return table


def _read_csv(path: Path) -> list[Frame]:
    rows = csv.DictReader(f'{line}\n' for line in read_lines(path))
    frames: dict[int, Frame] = {}
    try:
        columns = set(rows.fieldnames or ())
        named = 'point' in columns
        names = {'point'} if named else {'type', 'landmark_index'}
        if not {'frame', 'x', 'y'} | names <= columns:
            raise DataError(
                f'columns {", ".join(sorted(columns)) or "none"}; expected frame, x, y '
                'and point, or type and landmark_index, and perhaps score or visibility'
            )
        score = next((c for c in ('score', 'visibility') if c in columns), None)
        for row in rows:
            number = int(row['frame'])
            if number < 0:
                raise DataError(f'frame {number}, expected 0 or more')
            points = frames.setdefault(number, {})
            name = row['point'] if named else f'{row["type"]}_{row["landmark_index"]}'
            values = [row['x'], row['y']] + ([row[score]] if score else [])
            if not (row['x'] and row['y']):
                continue
            if name in points:
                raise DataError(f'frame {number} has two points {name}')
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
        try:
            if any(f'{part}_landmarks' in frame for part in PARTS):
                frame = holistic_points(frame)
            frames.append(
                {
                    name: tuple(float(value) for value in values)
                    for name, values in frame.items()
                    if values is not None
                }
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f'{path}: frame {number} is not laid out as expected ({error})'
            ) from error
    return frames
