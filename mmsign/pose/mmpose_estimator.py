"""Whole-body keypoints of a clip, by a top-down estimator of MMPose.

Symbols: T frames, see ``top_down.py``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mmsign.errors import PoseError
from mmsign.keypoints import LAYOUT_SIZES

from .boxes import BoxSource
from .openmmlab import OpenMMLabModel
from .top_down import LAYOUT, TopDownEstimator

ESTIMATORS: dict[str, str] = {
    # What the paper used.
    'hrnet': 'td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288',
    'fast': 'rtmw-l_8xb320-270e_cocktail14-384x288',
}
"""Names of MMPose's configs by what they are called here."""


class PoseEstimator(OpenMMLabModel, TopDownEstimator):
    """Estimate the keypoints of one person per frame, many frames at once.

    Args:
        config: A key of ``ESTIMATORS``, the name of a config of MMPose, or a config
            file. Any top-down estimator of the 133 points will do.
        checkpoint: A file, a URL, or ``RANDOM_WEIGHTS``; None takes the weights that
            MMPose lists for the config and downloads them once.
        device: To run on; None takes a GPU if there is one.
        boxes, batch_size: As of ``TopDownEstimator``.
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
        TopDownEstimator.__init__(self, network_name(config), boxes, batch_size)
        config = ESTIMATORS.get(str(config), config)
        super().__init__('mmpose', config, checkpoint, device, options)
        from mmpose.datasets.datasets.utils import parse_pose_metainfo

        # What the pipeline needs to know of the points: left–right pairs above all.
        self.metainfo = parse_pose_metainfo(self.metainfo)
        found, expected = self.metainfo['num_keypoints'], LAYOUT_SIZES[LAYOUT]
        if found != expected:
            raise PoseError(f'{self.config} has {found} keypoints, not {expected}')

    def estimate(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        """Keypoints of frames in given boxes; see ``TopDownEstimator``."""
        same = dict(self.metainfo, bbox_score=np.ones(1, np.float32))
        found = self._predict(
            dict(same, img=frame, bbox=np.float32(box)[None])
            for frame, box in zip(frames, boxes, strict=True)
        )
        persons = [sample.pred_instances for sample in found]
        return np.float32(
            [np.column_stack([p.keypoints[0], p.keypoint_scores[0]]) for p in persons]
        )


def network_name(config: str | Path) -> str:
    """What the network of a config is called: the config's own name.

    Examples:
        >>> network_name('fast')
        'rtmw-l_8xb320-270e_cocktail14-384x288'
    """
    return Path(ESTIMATORS.get(str(config), config)).stem
