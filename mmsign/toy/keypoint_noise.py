"""Keypoints as an estimator would deliver them: noisy, scored, sometimes lost.

Symbols: T frames, K = 133 keypoints.
"""

from __future__ import annotations

import numpy as np

from .difficulty import Difficulty
from .skeleton import LEFT_HAND, MOUTH, RIGHT_HAND, Pose

LOW_SCORE = 0.3
"""What is lost or out of sight scores below this, all else above 0.5."""


def estimate(
    pose: Pose,
    size: tuple[int, int],
    rng: np.random.Generator,
    difficulty: Difficulty | None = None,
) -> np.ndarray:
    """Keypoints with an estimator's errors.

    Hands are lost for one to three frames at a time. What is lost jumps elsewhere
    or to (0, 0); what leaves the frame is put at its border. Both have scores
    below ``LOW_SCORE``.

    Args:
        pose: The truth.
        size: [w, h] of the frame in pixels.
        rng: Source of randomness.
        difficulty: How large and how frequent errors are.

    Returns:
        (T, K, 3) float32: x px, y px, score.
    """
    difficulty = difficulty or Difficulty()
    frames, count = pose.points.shape[:2]
    deviation = np.full(count, difficulty.keypoint_noise * pose.unit)
    deviation[MOUTH] *= 0.6
    points = pose.points + rng.normal(size=pose.points.shape) * deviation[:, None]
    scores = rng.uniform(0.7, 0.98, (frames, count))

    lost = rng.random((frames, count)) < difficulty.point_loss
    jump = rng.normal(size=points.shape) * 0.35 * pose.unit
    points[lost] += jump[lost]
    zeroed = lost & (rng.random((frames, count)) < 0.2)
    points[zeroed] = 0.0

    for hand in (LEFT_HAND, RIGHT_HAND):
        # A loss takes two frames on average.
        starts = np.flatnonzero(rng.random(frames) < difficulty.hand_loss / 2)
        for start in starts:
            run = slice(start, start + int(rng.integers(1, 4)))
            shape = points[run, hand] - points[run, hand].mean(axis=1, keepdims=True)
            lost[run, hand] = True
            points[run, hand] = 0.0
            if rng.random() >= 0.3:
                # Somewhere else and too small: on a sleeve, in the background.
                points[run, hand] = rng.uniform(0.1, 0.9, 2) * size + 0.5 * shape

    border = np.asarray(size) - 1.0
    outside = ((points < 0) | (points > border)).any(axis=-1)
    points = np.clip(points, 0.0, border)
    low = lost | outside
    scores[low] = rng.uniform(0.02, LOW_SCORE - 0.02, int(low.sum()))
    return np.concatenate([points, scores[..., None]], axis=-1).astype(np.float32)
