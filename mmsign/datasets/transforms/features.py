"""Pooled features from a file in place of frames.

Symbols: T' steps, C channels of a stream, T frames that were sampled.
"""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS
from mmsign.structures import FEATURES_SUFFIX, SignDataSample

from ..io.feature_file import open_features, view_id


@TRANSFORMS.register_module()
class LoadFeatures(BaseTransform):
    """Read a clip's pooled features and pack them.

    Reads ``clip_id`` and the annotation. Returns ``inputs`` with
    ``{stream}_features`` float32 (T', C) per stream, and ``data_samples``, a
    ``SignDataSample`` whose ``frame_indices`` (T,) and ``length`` T are those of the
    extraction.

    Args:
        feature_file: A feature file: see ``feature_file.py``.
        views: For training: take the clip as it is or one of this many random views
            of it, all equally often. The file must hold them
            (``tools/extract_features.py --views``).

    Raises:
        FileNotFoundError, DataError: If it is not there, broken, or lacks
            the clip.
    """

    def __init__(self, feature_file: str, views: int = 0) -> None:
        if views < 0:
            raise ConfigError(f'LoadFeatures: views must not be negative, not {views}')
        self.feature_file = feature_file
        self.views = views

    def clip_ids(self, clip_id: str) -> list[str]:
        """The names in the feature file that a clip may be read under."""
        return [view_id(clip_id, view) for view in range(self.views + 1)]

    def transform(self, results: dict) -> dict:
        names = self.clip_ids(results['clip_id'])
        name = names[np.random.randint(len(names))] if self.views else names[0]
        found = open_features(self.feature_file).read(name)
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
