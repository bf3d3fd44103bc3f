"""Which keypoints are used, and how they relate to one another.

Estimators deliver the 133 points of COCO-WholeBody: body 0..16, feet 17..22,
face 23..90 (the 68 points of iBUG, mouth last), left hand 91..111, right hand
112..132. The network sees 79 of them: docs/method.md#keypoints-and-heatmaps. Left and
right are the signer's.
"""

from __future__ import annotations

import numpy as np

from mmsign.errors import DataError

_FACE = tuple(range(23, 71, 3))
_HANDS = tuple(range(91, 133))
_MOUTH = tuple(range(71, 91, 2))
_UPPER_BODY = tuple(range(11))

SELECTED_79: tuple[int, ...] = _FACE + _HANDS + _MOUTH + _UPPER_BODY
"""Indices into the 133, in the order of the network's input channels."""

PARTS: dict[str, slice] = {
    'face': slice(0, 16),
    'hands': slice(16, 58),
    'mouth': slice(58, 68),
    'upper_body': slice(68, 79),
}
"""Where each part lies among the 79."""

LAYOUT_SIZES: dict[str, int] = {
    'coco_wholebody_133': 133,
    'mmsign_79': len(SELECTED_79),
}
"""Number of keypoints of each layout that a keypoint file may have."""

_CHANNEL = {index: channel for channel, index in enumerate(SELECTED_79)}


def _channels(
    pairs: list[tuple[int, int]],
) -> tuple[tuple[int, int], ...]:
    """Translate pairs of indices into the 133 to channels of the 79."""
    return tuple((_CHANNEL[a], _CHANNEL[b]) for a, b in pairs)


def _chain(*indices: int) -> list[tuple[int, int]]:
    return list(zip(indices[:-1], indices[1:]))


def _hand_bones(root: int) -> list[tuple[int, int]]:
    bones = []
    for finger in range(5):
        first = root + 1 + 4 * finger
        bones += _chain(root, *range(first, first + 4))
    return bones


LEFT_RIGHT: tuple[tuple[int, int], ...] = _channels(
    [(91 + i, 112 + i) for i in range(21)]
    + [(left, left + 1) for left in (1, 3, 5, 7, 9)]
    # Eye corners: outer, inner. Mouth corners, lips.
    + [(68, 59), (65, 62), (77, 71), (75, 73), (79, 81), (87, 83)]
)
"""(left, right) channels that mirror each other.

The remaining points lie on the face's midline, or their mirror image is not
among the 79 (jaw and eyebrows, of which only every third point is used).
"""

SKELETON: tuple[tuple[int, int], ...] = _channels(
    _chain(9, 7, 5, 6, 8, 10)  # from the left wrist over the shoulders to the right
    + [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)]
    + [(9, 91), (10, 112)]  # wrist to the root of the hand
    + _hand_bones(91)
    + _hand_bones(112)
    + _chain(*range(23, 39, 3))  # jaw
    + _chain(50, 53, 56)  # ridge of the nose to its base
    + [(41, 44), (59, 62), (65, 68)]  # right eyebrow, right eye, left eye
    + _chain(71, 73, 75, 77, 79, 81, 71)  # outer lips
    + _chain(83, 85, 87, 89, 83)  # inner lips
)
"""Channels to join by a line when a skeleton is drawn."""


def select_79(points: np.ndarray, layout: str) -> np.ndarray:
    """Take the 79 used keypoints.

    Args:
        points: (..., K, C) in ``layout``.
        layout: A key of ``LAYOUT_SIZES``.

    Returns:
        (..., 79, C)

    Raises:
        ValueError: If the layout is unknown or K is not its size.
    """
    if layout not in LAYOUT_SIZES:
        raise DataError(
            f'unknown keypoint layout {layout!r}; known: {sorted(LAYOUT_SIZES)}'
        )
    if points.shape[-2] != LAYOUT_SIZES[layout]:
        raise DataError(
            f'layout {layout!r} has {LAYOUT_SIZES[layout]} keypoints, '
            f'got an array of shape {points.shape}'
        )
    if layout == 'mmsign_79':
        return points
    return points[..., SELECTED_79, :]
