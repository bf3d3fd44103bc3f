"""Whole-body keypoints of a clip, box by box: what the top-down estimators share.

Symbols: T frames of H by W pixels, K = 133 points of COCO-WholeBody. Top-down: the
box around the signer is cropped from the frame, widened and resized to the network's
input by one affine map, and the points found there are mapped back.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mmsign.errors import ConfigError
from mmsign.keypoints import LAYOUT_SIZES

from .boxes import BoxSource, FullFrame, hold_boxes
from .openmmlab import batches

LAYOUT = 'coco_wholebody_133'


class TopDownEstimator:
    """Estimate the keypoints of one person per frame, many frames at once.

    Args:
        name: Of the network, for those who use its points.
        boxes: Where the signer is; see ``boxes.py``. None takes the whole frame.
        batch_size: Frames that go through the network at once.

    Raises:
        ConfigError: If ``batch_size`` is not positive.
    """

    def __init__(
        self, name: str, boxes: BoxSource | None = None, batch_size: int = 16
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f'batch_size must be 1 or more, not {batch_size}')
        self.name = name
        self.boxes = boxes or FullFrame()
        self.batch_size = batch_size

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Keypoints of one clip.

        Args:
            frames: T frames (H, W, 3) uint8 BGR, in order; a generator will do. A box
                source that looks at the clip as a whole walks through them before:
                those of a generator are kept in memory then.

        Returns:
            (T, 133, 3) float32: x and y in pixels of the frame, score. A pixel's
            centre has whole coordinates.

        Raises:
            ConfigError: If a frame is something else.
        """
        whole = None
        if getattr(self.boxes, 'whole_clip', False):
            frames = list(frames) if isinstance(frames, Iterator) else frames
            whole = self.boxes(frames)
        results = [np.empty((0, LAYOUT_SIZES[LAYOUT], 3), np.float32)]
        previous, first = None, 0
        for batch in batches(frames, self.batch_size):
            last = first + len(batch)
            found = self.boxes(batch) if whole is None else whole[first:last]
            boxes = hold_boxes(found, previous, batch)
            previous, first = boxes[-1], last
            results.append(self.estimate(batch, boxes))
        return np.concatenate(results)

    def estimate(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Keypoints of frames in given boxes, in one step of the network.

        Args:
            frames: T frames (H, W, 3) uint8 BGR.
            boxes: (T, 4) as (x0, y0, x1, y1) in pixels.

        Returns:
            (T, 133, 3) float32, as ``__call__``.
        """
        raise NotImplementedError
