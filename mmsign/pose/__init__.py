"""Keypoints from any video, where MMPose is installed (docs/keypoints.md)."""

from .boxes import FixedBox, FullFrame, hold_boxes
from .detector import DETECTOR, SignerDetector
from .estimator import ESTIMATORS, LAYOUT, PoseEstimator
from .openmmlab import RANDOM_WEIGHTS, PoseError

__all__ = [
    'DETECTOR',
    'ESTIMATORS',
    'LAYOUT',
    'RANDOM_WEIGHTS',
    'FixedBox',
    'FullFrame',
    'PoseError',
    'PoseEstimator',
    'SignerDetector',
    'hold_boxes',
]
