"""Whole-body keypoints of a clip, by a top-down estimator of MMPose.

Symbols: T frames of H by W pixels, K = 133 points of COCO-WholeBody. Top-down: the
box around the signer is cropped from the frame, widened and resized to the network's
input by one affine map, and the points found there are mapped back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmsign.errors import ConfigError, PoseError
from mmsign.keypoints import LAYOUT_SIZES

from .boxes import BoxSource, FullFrame, hold_boxes
from .openmmlab import (
    build_model,
    build_pipeline,
    find_config,
    import_package,
    published_weights,
)

LAYOUT = 'coco_wholebody_133'

ESTIMATORS: dict[str, str] = {
    # What the paper used.
    'hrnet': 'td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288',
    'fast': 'rtmw-l_8xb320-270e_cocktail14-384x288',
}
"""Names of MMPose's configs by what they are called here."""


class PoseEstimator:
    """Estimate the keypoints of one person per frame, many frames at once.

    Args:
        config: A key of ``ESTIMATORS``, the name of a config of MMPose, or a config
            file. Any top-down estimator of the 133 points will do.
        checkpoint: A file, a URL, or ``RANDOM_WEIGHTS``; None takes the weights that
            MMPose lists for the config and downloads them once.
        device: To run on; None takes a GPU if there is one.
        boxes: Where the signer is; see ``boxes.py``.
        batch_size: Frames that go through the network at once.
        flip: Average with the mirrored frame. None does as the config says; False
            halves the time.

    Raises:
        PoseError: If MMPose is not installed, or config and checkpoint are not
            those of such an estimator.
    """

    def __init__(
        self,
        config: str | Path = 'hrnet',
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        boxes: BoxSource | None = None,
        batch_size: int = 16,
        flip: bool | None = None,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f'batch_size must be 1 or more, not {batch_size}')
        import_package('mmpose')
        path = find_config('mmpose', ESTIMATORS.get(str(config), config))
        cfg = Config.fromfile(path)
        if checkpoint is None:
            checkpoint = published_weights(path)
        if flip is not None:
            cfg.model.setdefault('test_cfg', {})['flip_test'] = flip
        dataset = cfg.test_dataloader.dataset
        self.config = str(path)
        self.checkpoint = str(checkpoint)
        self.boxes = boxes or FullFrame()
        self.batch_size = batch_size
        self.model = build_model('mmpose', cfg, checkpoint, device)
        self.pipeline = build_pipeline('mmpose', dataset.pipeline)
        self.metainfo = _metainfo(dataset, path)

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """Keypoints of one clip.

        Args:
            frames: T frames (H, W, 3) uint8 BGR, in order; a generator will do.

        Returns:
            (T, 133, 3) float32: x and y in pixels of the frame, score. A pixel's
            centre has whole coordinates.

        Raises:
            ValueError: If a frame is something else.
        """
        results = [np.empty((0, LAYOUT_SIZES[LAYOUT], 3), np.float32)]
        previous = None
        for batch in _batches(frames, self.batch_size):
            boxes = hold_boxes(self.boxes(batch), previous, batch)
            previous = boxes[-1]
            results.append(self.estimate(batch, boxes))
        return np.concatenate(results)

    @torch.inference_mode()
    def estimate(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Keypoints of frames in given boxes, in one step of the network.

        Args:
            frames: T frames (H, W, 3) uint8 BGR.
            boxes: (T, 4) as (x0, y0, x1, y1) in pixels.

        Returns:
            (T, 133, 3) float32, as ``__call__``.
        """
        prepared = [self._prepare(f, b) for f, b in zip(frames, boxes, strict=True)]
        found = self.model.test_step(pseudo_collate(prepared))
        return np.stack([self._points(sample) for sample in found])

    def _prepare(self, frame: np.ndarray, box: np.ndarray) -> dict:
        data = dict(
            self.metainfo,
            img=frame,
            bbox=np.float32(box)[None],
            bbox_score=np.ones(1, np.float32),
        )
        for step in self.pipeline:
            data = step(data)
        return data

    @staticmethod
    def _points(sample) -> np.ndarray:
        """(133, 3) of the one person in a data sample."""
        person = sample.pred_instances
        return np.concatenate(
            [person.keypoints[0], person.keypoint_scores[0][:, None]], axis=1
        ).astype(np.float32)


def _metainfo(dataset: Config, path: Path) -> dict:
    """What the pipeline needs to know of the points: left–right pairs above all."""
    from mmpose.datasets.datasets.utils import parse_pose_metainfo
    from mmpose.registry import DATASETS

    metainfo = parse_pose_metainfo(
        dataset.get('metainfo') or DATASETS.get(dataset.type).METAINFO
    )
    points = metainfo['num_keypoints']
    if points != LAYOUT_SIZES[LAYOUT]:
        raise PoseError(
            f'{path} estimates {points} keypoints; expected a whole-body estimator '
            f'of the {LAYOUT_SIZES[LAYOUT]} points of COCO-WholeBody'
        )
    return metainfo


def _batches(frames: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    iterator = iter(frames)
    while batch := list(islice(iterator, size)):
        for frame in batch:
            if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
                raise ConfigError(
                    f'expected frames of shape (H, W, 3) and dtype uint8, got '
                    f'{frame.shape} {frame.dtype}'
                )
        yield batch
