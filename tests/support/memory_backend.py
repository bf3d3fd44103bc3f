"""A visualization backend that keeps what it is given."""

from __future__ import annotations

import numpy as np
from mmengine.visualization.vis_backend import BaseVisBackend


class MemoryBackend(BaseVisBackend):
    """Attributes: images, (name, (H, W, 3) RGB, step) in order."""

    def __init__(self) -> None:
        self.images: list[tuple[str, np.ndarray, int]] = []

    def _init_env(self) -> None:
        pass

    @property
    def experiment(self) -> MemoryBackend:
        return self

    def add_image(self, name, image, step=0, **kwargs) -> None:
        self.images.append((name, image, step))
