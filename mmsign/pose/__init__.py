"""Keypoints from any video by MMPose, ONNX or MediaPipe, as installed."""

from .boxes import DETECTOR, FixedBox, FullFrame, SignerDetector, hold_boxes
from .mediapipe_estimator import MediaPipeEstimator
from .mmpose_estimator import ESTIMATORS, PoseEstimator
from .onnx_estimator import ONNX_ESTIMATORS, OnnxPoseEstimator, OnnxSignerDetector
from .openmmlab import RANDOM_WEIGHTS
from .recipes import PoseRecipe
from .top_down import LAYOUT
