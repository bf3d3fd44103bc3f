"""Whole-body keypoints of a clip, by a top-down estimator of MMPose.

Symbols: T frames of H by W pixels, K = 133 points of COCO-WholeBody. Top-down: the
box around the signer is cropped from the frame, widened and resized to the network's
input by one affine map, and the points found there are mapped back.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from mmsign.errors import ConfigError, PoseError
from mmsign.keypoints import LAYOUT_SIZES

from .boxes import BoxSource, FullFrame, hold_boxes
from .openmmlab import OpenMMLabModel, batches

LAYOUT = 'coco_wholebody_133'

ESTIMATORS: dict[str, str] = {
    # What the paper used.
    'hrnet': 'td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288',
    'fast': 'rtmw-l_8xb320-270e_cocktail14-384x288',
}
"""Names of MMPose's configs by what they are called here."""


class PoseEstimator(OpenMMLabModel):
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
        ConfigError: If ``batch_size`` is not positive.
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
        options = {} if flip is None else {'model.test_cfg.flip_test': flip}
        config = ESTIMATORS.get(str(config), config)
        if batch_size < 1:
            raise ConfigError(f'batch_size must be 1 or more, not {batch_size}')
        super().__init__('mmpose', config, checkpoint, device, options)
        from mmpose.datasets.datasets.utils import parse_pose_metainfo

        self.boxes = boxes or FullFrame()
        self.batch_size = batch_size
        # What the pipeline needs to know of the points: left–right pairs above all.
        self.metainfo = parse_pose_metainfo(self.metainfo)
        found, expected = self.metainfo['num_keypoints'], LAYOUT_SIZES[LAYOUT]
        if found != expected:
            raise PoseError(f'{self.config} has {found} keypoints, not {expected}')

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
        same = dict(self.metainfo, bbox_score=np.ones(1, np.float32))
        found = self._predict(
            dict(same, img=frame, bbox=np.float32(box)[None])
            for frame, box in zip(frames, boxes, strict=True)
        )
        persons = [sample.pred_instances for sample in found]
        return np.float32(
            [np.column_stack([p.keypoints[0], p.keypoint_scores[0]]) for p in persons]
        )
