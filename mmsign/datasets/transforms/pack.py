"""Hand a clip to the network.

Symbols: T frames, S side of a frame in pixels.
"""

from __future__ import annotations

import torch
from mmcv.transforms import BaseTransform

from mmsign.registry import TRANSFORMS
from mmsign.structures import SignDataSample

_META_KEYS = (
    'clip_id',
    'signer',
    'glosses',
    'text',
    'num_frames',
    'frame_indices',
    'frame_size',
    'crop_box',
)


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
        metainfo = {key: results[key] for key in _META_KEYS}
        metainfo['length'] = len(results['frame_indices'])
        return dict(inputs=inputs, data_samples=SignDataSample(metainfo=metainfo))
