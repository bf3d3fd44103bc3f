"""Pooled features from a file in place of frames.

Symbols: T' steps, C channels of a stream, T frames that were sampled.
"""

from __future__ import annotations

import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmsign.structures import SignDataSample

from ..feature_file import open_features

# Ends the names of the inputs, so that they are told from frames and heatmaps.
FEATURES_SUFFIX = '_features'


@TRANSFORMS.register_module()
class LoadFeatures(BaseTransform):
    """Read a clip's pooled features and pack them.

    Reads ``clip_id`` and the annotation. Returns ``inputs`` with
    ``{stream}_features`` float32 (T', C) per stream, and ``data_samples``, a
    ``SignDataSample`` whose ``frame_indices`` (T,) and ``length`` T are those of the
    extraction.

    Args:
        feature_file: A feature file: see ``feature_file.py``.

    Raises:
        FileNotFoundError, FeatureFileError: If it is not there, broken, or lacks
            the clip.
    """

    def __init__(self, feature_file: str) -> None:
        self.feature_file = feature_file

    def transform(self, results: dict) -> dict:
        found = open_features(self.feature_file).read(results['clip_id'])
        keys = ('clip_id', 'signer', 'glosses', 'text')
        metainfo = {key: results[key] for key in keys}
        metainfo |= dict(
            frame_indices=found.frame_indices,
            length=len(found.frame_indices),
            num_frames=found.num_frames,
        )
        inputs = {
            stream + FEATURES_SUFFIX: torch.from_numpy(values)
            for stream, values in found.streams.items()
        }
        return dict(inputs=inputs, data_samples=SignDataSample(metainfo=metainfo))
