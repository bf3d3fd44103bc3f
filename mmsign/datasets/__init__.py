"""Corpora, frame sources, keypoint files and the transforms of a clip."""

from mmsign.vocab import build_vocabulary

from . import transforms
from .csl_daily import CSLDailyDataset
from .io.feature_file import FeatureFile, write_features
from .io.frame_sources import FrameSource, open_frames
from .io.keypoint_file import KeypointFile, KeypointWriter, write_keypoints
from .phoenix import Phoenix2014Dataset, Phoenix2014SI5Dataset, Phoenix2014TDataset
from .samplers import LengthBucketSampler, SentenceBucketSampler
from .sign_dataset import SignDataset
from .sign_folder import SignFolderDataset
from .spliced_signs import SplicedSigns
