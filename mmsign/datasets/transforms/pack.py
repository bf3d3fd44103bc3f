"""Hand a clip, its pooled features or its sentence to the network, and clips together.

Symbols: T frames that were sampled, S side of a frame in pixels; T' steps, C channels
of a stream.
"""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import FUNCTIONS, TRANSFORMS
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


@FUNCTIONS.register_module()
def clip_collate(clips: Sequence[dict]) -> dict:
    """A batch as ``pseudo_collate`` makes it, that costs less to hand on.

    The tensors of an input lie behind one another in one memory when they go from a
    process that loads to the one that trains: each of its own would be a connection
    between the two (``tools/benchmark/loading.py``).

    Args:
        clips: As ``PackClip``, ``LoadFeatures`` or ``PackSentence`` give them.

    Returns:
        ``inputs``, a list for each name, and ``data_samples``, a list.
    """
    batch = pseudo_collate(clips)
    for name, values in batch['inputs'].items():
        # A step of one's own may add what is no tensor.
        if all(map(torch.is_tensor, values)) and len({v.dtype for v in values}) == 1:
            batch['inputs'][name] = _Together(values)
    return batch


class _Together(list):
    """Tensors of one dtype, of any shapes; copied or pickled, they are a list."""

    def __reduce__(self) -> tuple:
        # In the order of their memory, so that views with channels last stay such.
        orders = [sorted(range(t.dim()), key=t.stride, reverse=True) for t in self]
        permuted = [tensor.permute(order) for tensor, order in zip(self, orders)]
        size = sum(tensor.nbytes for tensor in self)
        # Shared from the beginning, or all would be copied once more.
        memory = torch.UntypedStorage._new_shared(size)
        whole = torch.empty(0, dtype=self[0].dtype).set_(memory)
        torch.cat([tensor.reshape(-1) for tensor in permuted], out=whole)
        return _apart, (whole, [tensor.shape for tensor in permuted], orders)


def _apart(whole: Tensor, shapes: list[torch.Size], orders: list[list]) -> list[Tensor]:
    parts = whole.split([shape.numel() for shape in shapes])
    return [
        part.view(shape).permute(np.argsort(order).tolist())
        for part, shape, order in zip(parts, shapes, orders)
    ]
