"""Recipes in the place of MMPose's, that other processes can import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mmsign.errors import PoseError


@dataclass(frozen=True)
class Brightness:
    """Writes each frame's first pixel into every coordinate of its points."""

    name: str = 'brightness'
    broken: bool = False
    log: str | None = None
    layout: ClassVar[str] = 'coco_wholebody_133'

    def require(self) -> None:
        """Nothing is missing."""

    def gpus(self) -> int:
        return 0

    def build(self, device: str | None):
        if self.broken:
            raise PoseError('these weights do not fit')
        return self.estimate

    def estimate(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        values = [frame[0, 0, 0] for frame in frames]
        if self.log is not None:
            with open(self.log, 'a') as file:
                file.write(f'{os.getpid()} {len(values)}\n')
        return np.tile(np.float32(values)[:, None, None], (1, 133, 3))

    def describe(self) -> dict:
        return dict(name=self.name)
