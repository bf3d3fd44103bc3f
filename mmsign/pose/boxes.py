"""Where in a frame the signer is.

Symbols: T frames of H by W pixels; boxes (x0, y0, x1, y1) in pixels of the frame.
A box source is any callable (T frames) → (T, 4) float32 boxes; a row of NaN says
that nobody was found. It is given successive frames of a clip, or all of them if its
attribute ``whole_clip`` is true.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from mmsign.errors import ConfigError, PoseError
from mmsign.notices import warn
from mmsign.tracking import follow_person

from .openmmlab import OpenMMLabModel, batches

DETECTOR = 'rtmdet_m_8xb32-300e_coco'
"""Name of MMDetection's config that is taken by default."""

BoxSource = Callable[[Sequence[np.ndarray]], np.ndarray]


class FullFrame:
    """The whole frame: right where the signer fills it, as in the corpora."""

    def __call__(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        boxes = [(0, 0, frame.shape[1], frame.shape[0]) for frame in frames]
        return np.float32(boxes).reshape(-1, 4)


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
                raise ConfigError(f'box {self.corners} outside of {width}×{height}')
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
    empty = np.isnan(held).any(axis=1)
    if previous is None and empty.all():
        return FullFrame()(frames)
    before = held[~empty][0] if previous is None else previous
    for index in np.flatnonzero(empty):
        held[index] = held[index - 1] if index else before
    return held


class PersonFollower:
    """One person through the whole clip, a box source (see above).

    Of several persons one is followed, see ``follow_person``; it is logged.

    Args:
        threshold: Lowest score of a person.
        batch_size: Frames that go through the network at once.
    """

    whole_clip = True

    def __init__(self, threshold: float = 0.3, batch_size: int = 16) -> None:
        self.threshold = threshold
        self.batch_size = batch_size

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Boxes of one clip.

        Args:
            frames: T frames (H, W, 3) uint8 BGR, in order.

        Returns:
            (T, 4) float32. Where the followed person is not seen it is the box before,
            at the start the first one; NaN if there is nobody in any frame.
        """
        boxes, scores = [], []
        for batch in batches(frames, self.batch_size):
            for found, sure in self.persons(batch):
                boxes.append(found[sure >= self.threshold])
                scores.append(sure[sure >= self.threshold])
        name = getattr(frames, 'clip_id', 'clip')
        followed = follow_person(boxes, scores, lambda text: warn(f'{name}: {text}'))
        signer = np.full((len(boxes), 4), np.nan, np.float32)
        for frame in np.flatnonzero(followed >= 0):
            signer[frame] = boxes[frame][followed[frame]]
        return signer if np.isnan(signer).all() else hold_boxes(signer, None, ())

    def persons(self, frames: Sequence[np.ndarray]) -> Iterable[tuple]:
        """Of each of n frames the boxes (P, 4) in pixels and scores (P,) of persons."""
        raise NotImplementedError


class SignerDetector(OpenMMLabModel, PersonFollower):
    """The person that a detector of MMDetection finds, see ``PersonFollower``.

    Args:
        config: The name of a config of MMDetection, or a config file.
        checkpoint: As of ``PoseEstimator``.
        device: To run on; None takes a GPU if there is one.
        threshold, batch_size: As of ``PersonFollower``.

    Raises:
        PoseError: If MMDetection is not installed, or the detector knows no persons.
    """

    def __init__(
        self,
        config: str | Path = DETECTOR,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        threshold: float = 0.3,
        batch_size: int = 16,
    ) -> None:
        super().__init__('mmdet', config, checkpoint, device)
        PersonFollower.__init__(self, threshold, batch_size)
        classes = self.metainfo.get('classes', ())
        classes = [classes] if isinstance(classes, str) else list(classes)
        if 'person' not in classes:
            raise PoseError(f'{self.config} detects no person but {classes[:5]}')
        self.person = classes.index('person')

    def _steps(self, steps: Sequence[Config]) -> Sequence[dict]:
        # The frames are in memory already, and nothing is annotated.
        kept = [s for s in steps if not s.type.split('.')[-1].startswith('Load')]
        return [dict(type='LoadImageFromNDArray'), *kept]

    def persons(self, frames: Sequence[np.ndarray]) -> Iterator[tuple]:
        """See ``PersonFollower``."""
        inputs = (dict(img=frame, img_id=i) for i, frame in enumerate(frames))
        for sample in self._predict(inputs):
            found = sample.pred_instances.cpu().numpy()
            person = found.labels == self.person
            yield found.bboxes[person], found.scores[person]
