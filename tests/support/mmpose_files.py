"""Keypoints as MMPose's inferencer writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_mmpose_json(
    path: Path, points: np.ndarray, ids: Sequence[int] | None = None
) -> None:
    """Write the points (N, K, 3) of one person, with frame ids if they are given."""
    entries = [
        dict(
            instances=[
                dict(keypoints=p[:, :2].tolist(), keypoint_scores=p[:, 2].tolist())
            ]
        )
        for p in points
    ]
    for entry, number in zip(entries, ids or ()):
        entry['frame_id'] = number
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries))
