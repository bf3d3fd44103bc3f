"""Backbones of our own; MMAction2's are used as they are."""

from .corrnet import CorrNet
from .keypoint_tcn import KeypointTCN
from .mska import MSKA
from .s3d import S3D
from .slowfast import BidirectionalSlowFast
