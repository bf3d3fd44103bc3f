"""Corpora, frame sources, keypoint files and the transforms of a clip."""

from . import transforms
from .csl_daily import CSLDailyDataset
from .feature_file import FeatureFile, write_features
from .frames import FrameSource, open_frames
from .keypoint_file import KeypointFile, write_keypoints
from .keypoint_writer import KeypointWriter
from .phoenix import (
    Phoenix2014Dataset,
    Phoenix2014SI5Dataset,
    Phoenix2014TDataset,
)
from .samplers import LengthBucketSampler, SentenceBucketSampler
from .sign_dataset import SignDataset
from .sign_folder import SignFolderDataset

__all__ = [
    'CSLDailyDataset',
    'FeatureFile',
    'FrameSource',
    'KeypointFile',
    'KeypointWriter',
    'LengthBucketSampler',
    'Phoenix2014Dataset',
    'Phoenix2014SI5Dataset',
    'Phoenix2014TDataset',
    'SentenceBucketSampler',
    'SignDataset',
    'SignFolderDataset',
    'open_frames',
    'transforms',
    'write_features',
    'write_keypoints',
]
