"""Keypoints of somebody whose hands rest, move, or cannot be seen."""

from __future__ import annotations

import numpy as np

from mmsign.apis.clip_statistics import SHOULDERS, WRISTS, ClipStatistics, RestPose
from mmsign.keypoints import NOSE

REST = RestPose(((0.5, 1.2), (-0.5, 1.2)), 0.2, 2)
"""What ``signing`` does at rest."""


def signing(plan: str) -> np.ndarray:
    """(N, 79, 3) keypoints in a frame of 64×48 pixels.

    Args:
        plan: One letter per frame: ``r`` the hands rest, ``m`` they move, ``o`` one of
            them does, ``w`` neither wrist was found, ``1`` one was not and the other
            rests, ``n`` nobody is there.
    """
    points = np.zeros((len(plan), 79, 3), np.float32)
    points[..., 2] = 0.9
    points[..., :2] = (32, 20)
    points[:, NOSE, :2] = (32, 0)
    points[:, SHOULDERS, :2] = ((42, 10), (22, 10))  # 20 pixels apart
    for index, letter in enumerate(plan):
        wrists = points[index, WRISTS]
        wrists[:, :2] = ((42, 34), (22, 34))
        if letter in 'mo':
            wrists[0, :2] = (40 - index % 5, 15)
        if letter in 'm1':
            wrists[1, :2] = (25, 12 + index % 7)
        wrists[:, 2] = {'w': (0.1, 0.1), '1': (0.9, 0.1)}.get(letter, (0.9, 0.9))
        points[index, WRISTS] = wrists
        if letter == 'n':
            points[index, :, 2] = 0.05
    return points


def signing_statistics(longest: int = 40, shortest: int = 4) -> ClipStatistics:
    """Of clips that begin and end as ``signing`` does."""
    return ClipStatistics(shortest, (shortest + longest) // 2, longest, REST)
