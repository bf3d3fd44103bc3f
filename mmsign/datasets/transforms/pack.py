"""Hand a clip, its pooled features or its sentence to the network.

Symbols: T frames that were sampled, S side of a frame in pixels; T' steps, C channels
of a stream.
"""

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS
from mmsign.structures import FEATURES_SUFFIX, SignDataSample

from ..io.feature_file import FeatureFile, view_id

_ANNOTATION = ('clip_id', 'signer', 'glosses', 'text')
_SAMPLED = ('num_frames', 'frame_indices', 'frame_size', 'crop_box')


@TRANSFORMS.register_module()
class PackClip(BaseTransform):
    """Make the tensors and the data sample.

    Reads what the transforms before have written. Returns ``inputs`` with
    ``video`` uint8 (3, T, S, S), if frames were decoded, and ``keypoints`` float32
    (T, 79, 3), if keypoints were read; and ``data_samples``, a ``SignDataSample``.
    ``video`` is a view with the channels last in memory: nothing is copied here.
    """

    def transform(self, results: dict) -> dict:
        inputs = {}
        if not isinstance(results['frames'], str):
            inputs['video'] = torch.from_numpy(results['frames']).permute(3, 0, 1, 2)
        if 'keypoints' in results:
            inputs['keypoints'] = torch.from_numpy(results['keypoints'])
        return _packed(inputs, results, **{key: results[key] for key in _SAMPLED})


@TRANSFORMS.register_module()
class PackSentence(BaseTransform):
    """Make the data sample of gloss→text: no frame, no keypoint is opened.

    Returns ``data_samples``, a ``SignDataSample`` with ``clip_id``, ``signer``,
    ``glosses`` and ``text``, and ``inputs``, which is empty.
    """

    def transform(self, results: dict) -> dict:
        return _packed({}, results)


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
        self.feature_file, self.views = feature_file, views

    def clip_ids(self, clip_id: str) -> list[str]:
        """The names in the feature file that a clip may be read under."""
        return [view_id(clip_id, view) for view in range(self.views + 1)]

    def transform(self, results: dict) -> dict:
        names = self.clip_ids(results['clip_id'])
        name = names[np.random.randint(len(names))] if self.views else names[0]
        found = FeatureFile.open(self.feature_file).read(name)
        streams = found.streams.items()
        inputs = {name + FEATURES_SUFFIX: torch.from_numpy(x) for name, x in streams}
        sampled = dict(frame_indices=found.frame_indices, num_frames=found.num_frames)
        return _packed(inputs, results, **sampled)


def _packed(inputs: dict, results: dict, **sampled) -> dict:
    metainfo = {key: results[key] for key in _ANNOTATION} | sampled
    if sampled:
        metainfo['length'] = len(sampled['frame_indices'])
    return dict(inputs=inputs, data_samples=SignDataSample(metainfo=metainfo))
