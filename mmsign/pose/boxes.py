"""Where in a frame the signer is.

Symbols: T frames of H by W pixels; boxes (x0, y0, x1, y1) in pixels of the frame.
A box source is any callable (T frames) → (T, 4) float32 boxes; a row of NaN says
that nobody was found. It is given successive frames of a clip, or all of them if its
attribute ``whole_clip`` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mmsign.errors import ConfigError

BoxSource = Callable[[Sequence[np.ndarray]], np.ndarray]


class FullFrame:
    """The whole frame: right where the signer fills it, as in the corpora."""

    def __call__(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(
            [(0, 0, frame.shape[1], frame.shape[0]) for frame in frames], np.float32
        ).reshape(-1, 4)


class FixedBox:
    """The same box in every frame.

    Args:
        x, y: Its upper left corner in pixels.
        width, height: In pixels.

    Raises:
        ValueError: If it is empty, or (on use) lies outside a frame.
    """

    def __init__(self, x: float, y: float, width: float, height: float) -> None:
        if not (width > 0 and height > 0):
            raise ConfigError(f'a box of {width}×{height} pixels is empty')
        self.corners = (x, y, x + width, y + height)

    def __call__(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        x0, y0, x1, y1 = self.corners
        for frame in frames:
            height, width = frame.shape[:2]
            if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
                raise ConfigError(
                    f'the box from ({x0:g}, {y0:g}) to ({x1:g}, {y1:g}) lies outside '
                    f'the frame of {width}×{height} pixels'
                )
        return np.tile(np.float32(self.corners), (len(frames), 1))


def hold_boxes(
    boxes: np.ndarray, previous: np.ndarray | None, frames: Sequence[np.ndarray]
) -> np.ndarray:
    """Give a box to the frames in which nobody was found.

    It is the last one before; at the start of a clip, the first one that follows
    among these frames; where there is none either, the whole frame.

    Args:
        boxes: (T, 4), rows of NaN where nobody was found.
        previous: (4,), the box of the frame before, None at a clip's start.
        frames: T frames, (H, W, 3) each.

    Returns:
        (T, 4) without NaN.
    """
    held = np.array(boxes, np.float32)
    found = ~np.isnan(held).any(axis=1)
    last = previous
    if last is None and found.any():
        last = held[found][0]
    for index in range(len(held)):
        if found[index]:
            last = held[index]
        elif last is not None:
            held[index] = last
        else:
            held[index] = FullFrame()(frames[index : index + 1])[0]
    return held
