"""Find the signer by a person detector of MMDetection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from mmsign.errors import PoseError
from mmsign.tracking import follow_person, warn

from .boxes import hold_boxes
from .openmmlab import OpenMMLabModel, batches

DETECTOR = 'rtmdet_m_8xb32-300e_coco'
"""Name of MMDetection's config that is taken by default."""


class SignerDetector(OpenMMLabModel):
    """One person through the whole clip, a box source (see ``boxes.py``).

    Of several persons one is followed, see ``follow_person``; it is logged.

    Args:
        config: The name of a config of MMDetection, or a config file.
        checkpoint: As of ``PoseEstimator``.
        device: To run on; None takes a GPU if there is one.
        threshold: Lowest score of a person.
        batch_size: Frames that go through the network at once.

    Raises:
        PoseError: If MMDetection is not installed, or the detector knows no persons.
    """

    whole_clip = True

    def __init__(
        self,
        config: str | Path = DETECTOR,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        threshold: float = 0.3,
        batch_size: int = 16,
    ) -> None:
        super().__init__('mmdet', config, checkpoint, device)
        self.threshold = threshold
        self.batch_size = batch_size
        self.person = _person_class(self.dataset, self.config)

    def _steps(self, dataset: Config) -> Sequence[dict]:
        # The frames are in memory already, and nothing is annotated.
        kept = [
            step
            for step in dataset.pipeline
            if not step['type'].rpartition('.')[2].startswith('Load')
        ]
        return [dict(type='LoadImageFromNDArray'), *kept]

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
            inputs = (dict(img=frame, img_id=i) for i, frame in enumerate(batch))
            for sample in self._predict(inputs):
                found = sample.pred_instances.cpu().numpy()
                sure = (found.labels == self.person) & (found.scores >= self.threshold)
                boxes.append(found.bboxes[sure])
                scores.append(found.scores[sure])
        name = getattr(frames, 'clip_id', 'clip')
        followed = follow_person(boxes, scores, lambda text: warn(f'{name}: {text}'))
        signer = np.full((len(boxes), 4), np.nan, np.float32)
        for frame in np.flatnonzero(followed >= 0):
            signer[frame] = boxes[frame][followed[frame]]
        return signer if np.isnan(signer).all() else hold_boxes(signer, None, ())


def _person_class(dataset: Config, path: str) -> int:
    """The detector's class that is a person."""
    from mmdet.registry import DATASETS

    metainfo = dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO
    classes = metainfo.get('classes', ())
    classes = (classes,) if isinstance(classes, str) else tuple(classes)
    if 'person' not in classes:
        raise PoseError(
            f'{path}: a detector of {", ".join(classes[:5])}, …; expected one whose '
            'classes include "person"'
        )
    return classes.index('person')
