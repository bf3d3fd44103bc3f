"""Glosses and sentence alone, for gloss→text: no frame, no keypoint is opened."""

from __future__ import annotations

from mmcv.transforms import BaseTransform

from mmsign.registry import TRANSFORMS
from mmsign.structures import SignDataSample


@TRANSFORMS.register_module()
class PackSentence(BaseTransform):
    """Make the data sample.

    Returns ``data_samples``, a ``SignDataSample`` with ``clip_id``, ``signer``,
    ``glosses`` and ``text``, and ``inputs``, which is empty.
    """

    def transform(self, results: dict) -> dict:
        keys = ('clip_id', 'signer', 'glosses', 'text')
        sample = SignDataSample(metainfo={key: results[key] for key in keys})
        return dict(inputs={}, data_samples=sample)
