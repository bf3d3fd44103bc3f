"""Keypoints from any video by MMPose or MediaPipe, as installed (docs/keypoints.md)."""

from .boxes import DETECTOR, FixedBox, FullFrame, SignerDetector, hold_boxes
from .mediapipe_estimator import MediaPipeEstimator
from .mmpose_estimator import ESTIMATORS, LAYOUT, PoseEstimator
from .openmmlab import RANDOM_WEIGHTS
