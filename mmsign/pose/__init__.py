"""Keypoints from any video by MMPose or MediaPipe, as installed (docs/keypoints.md)."""

from .boxes import FixedBox, FullFrame, hold_boxes
from .detector import DETECTOR, SignerDetector
from .mediapipe_estimator import MediaPipeEstimator
from .mmpose_estimator import ESTIMATORS, LAYOUT, PoseEstimator
from .openmmlab import RANDOM_WEIGHTS
