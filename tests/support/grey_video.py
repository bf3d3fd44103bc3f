"""Small videos on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_video(path: Path, values: list[int], size=(32, 48)) -> None:
    """A frame of one grey value for each of ``values``; size is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), code, 25, size)
    for value in values:
        writer.write(np.full((size[1], size[0], 3), value, np.uint8))
    writer.release()
