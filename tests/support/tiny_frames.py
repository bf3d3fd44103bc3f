"""Small random frames on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIZE = (20, 24)  # width, height in pixels


def write_frames(folder: Path, count: int, size=SIZE, seed: int = 0) -> np.ndarray:
    """Random PNG frames; (count, H, W, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (count, size[1], size[0], 3), dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'images{index + 1:04d}.png'), frame)
    return frames
