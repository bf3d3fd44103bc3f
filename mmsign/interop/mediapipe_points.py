"""MediaPipe Holistic's landmarks, or any named points, as the 79 keypoints.

Symbols: N frames, 79 keypoints in the order of the network's channels. A frame's named
points are a mapping name → (x, y) or (x, y, score). MediaPipe's are called
``pose_0`` … ``pose_32``, ``face_0`` … ``face_467``, ``left_hand_0`` … ``left_hand_20``
and ``right_hand_0`` … ``right_hand_20``, after its four lists; left and right are the
signer's there, too.

A table says where a named point goes: name → index among the 133 points of
COCO-WholeBody. Of those, the 79 are taken that the network uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mmsign.errors import DataError
from mmsign.keypoints import LAYOUT_SIZES, select_79

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

PARTS = ('pose', 'face', 'left_hand', 'right_hand')


def holistic_points(result: object) -> dict[str, tuple[float, ...]]:
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
    count = LAYOUT_SIZES['coco_wholebody_133']
    outside = [name for name, index in table.items() if not 0 <= index < count]
    if outside:
        raise DataError(
            f'point {outside[0]!r} has index {table[outside[0]]}, expected 0 to '
            f'{count - 1}, the points of COCO-WholeBody'
        )
    width, height = frame_size
    frames = list(frames)
    points = np.tile(np.float32([-width, -height, 0]), (len(frames), count, 1))
    for number, frame in enumerate(frames):
        for name, values in frame.items():
            if name not in table:
                continue
            if len(values) not in (2, 3):
                raise DataError(
                    f'frame {number}: point {name!r} has {len(values)} values, '
                    'expected x, y and perhaps a score'
                )
            point = np.array([*values, 1.0][:3], np.float64)
            if normalized:
                # Shares count from the outer edge of the first pixel.
                point[:2] = point[:2] * (width, height) - 0.5
            # A keypoint file holds no more.
            if (np.abs(point) < np.finfo(np.float16).max).all():
                points[number, table[name]] = *point[:2], np.clip(point[2], 0, 1)
    return select_79(points, 'coco_wholebody_133')
