"""Keypoints from any video by MMPose or MediaPipe, as installed (docs/keypoints.md)."""

from mmsign.errors import PoseError

from .boxes import FixedBox, FullFrame, hold_boxes
from .detector import DETECTOR, SignerDetector
from .estimator import ESTIMATORS, LAYOUT, PoseEstimator
from .mediapipe_holistic import MediaPipeEstimator
from .openmmlab import RANDOM_WEIGHTS

__all__ = [
    'DETECTOR',
    'ESTIMATORS',
    'LAYOUT',
    'RANDOM_WEIGHTS',
    'FixedBox',
    'FullFrame',
    'MediaPipeEstimator',
    'PoseError',
    'PoseEstimator',
    'SignerDetector',
    'hold_boxes',
]
