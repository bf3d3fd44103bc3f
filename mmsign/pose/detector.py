"""Find the signer by a person detector of MMDetection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmsign.errors import PoseError

from .boxes import largest_box
from .openmmlab import build_model, build_pipeline, find_config, published_weights

DETECTOR = 'rtmdet_m_8xb32-300e_coco'
"""Name of MMDetection's config that is taken by default."""


class SignerDetector:
    """The largest person of each frame, a box source (see ``boxes.py``).

    Args:
        config: The name of a config of MMDetection, or a config file.
        checkpoint: As of ``PoseEstimator``.
        device: To run on; None takes a GPU if there is one.
        threshold: Lowest score of a person.

    Raises:
        PoseError: If MMDetection is not installed, or the detector knows no persons.
    """

    def __init__(
        self,
        config: str | Path = DETECTOR,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        threshold: float = 0.3,
    ) -> None:
        path = find_config('mmdet', config)
        cfg = Config.fromfile(path)
        if checkpoint is None:
            checkpoint = published_weights(path)
        self.config = str(path)
        self.checkpoint = str(checkpoint)
        self.threshold = threshold
        self.person = _person_class(cfg, path)
        self.model = build_model('mmdet', cfg, checkpoint, device)
        # The frames are in memory already, and nothing is annotated.
        steps = [dict(type='LoadImageFromNDArray')]
        for step in cfg.test_dataloader.dataset.pipeline:
            if not step['type'].rpartition('.')[2].startswith('Load'):
                steps.append(step)
        self.pipeline = build_pipeline('mmdet', steps)

    @torch.inference_mode()
    def __call__(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Boxes of T frames (H, W, 3) uint8 BGR, in one step of the network.

        Returns:
            (T, 4) float32, NaN where nobody is found.
        """
        prepared = []
        for index, frame in enumerate(frames):
            data = dict(img=frame, img_id=index)
            for step in self.pipeline:
                data = step(data)
            prepared.append(data)
        found = self.model.test_step(pseudo_collate(prepared))
        persons = [sample.pred_instances.cpu().numpy() for sample in found]
        return np.stack(
            [
                largest_box(p.bboxes, p.scores, p.labels, self.person, self.threshold)
                for p in persons
            ]
        )


def _person_class(cfg: Config, path: Path) -> int:
    """The detector's class that is a person."""
    from mmdet.registry import DATASETS

    dataset = cfg.test_dataloader.dataset
    metainfo = dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO
    classes = metainfo.get('classes', ())
    classes = (classes,) if isinstance(classes, str) else tuple(classes)
    if 'person' not in classes:
        raise PoseError(
            f'{path}: a detector of {", ".join(classes[:5])}, …; expected one whose '
            'classes include "person"'
        )
    return classes.index('person')
