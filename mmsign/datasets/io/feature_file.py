"""Pooled features of a corpus in one safetensors file.

Symbols: T' steps, C channels of a stream, T frames that were sampled.

A clip may be there several times: as in testing, under its own name, and in random
*views* as in training, under ``view_id(clip_id, 1)``, ….

Per clip and stream one float16 tensor (T', C) named ``{stream}/{clip_id}``, and an
int32 tensor ``frames/{clip_id}`` (T + 1,): the number of frames of the source, then
the indices of the T sampled ones. Metadata: ``format`` 'mmsign-features',
``version`` '1', ``network``, the fingerprint of the network that computed them, and
``streams``, their names with commas between. A file of 8,000 clips opens in
milliseconds: only its table of contents is read.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mmsign.errors import DataError

from .stores import ArrayStore, Stored, write_store

_FRAMES = 'frames/'


def view_id(clip_id: str, view: int) -> str:
    """The name of a clip's view in a feature file; view 0 is the clip as in testing."""
    return f'{clip_id}#{view}' if view else clip_id


@dataclass(frozen=True)
class ClipFeatures:
    """The features of one clip.

    Attributes:
        streams: (T', C) float array by stream.
        frame_indices: (T,) int64, sorted; the source frames that were seen.
        num_frames: Frames of the source.
    """

    streams: Mapping[str, np.ndarray]
    frame_indices: np.ndarray
    num_frames: int


class FeatureFile(ArrayStore):
    """Read clips of a feature file lazily; see ``ArrayStore``."""

    FORMAT = 'mmsign-features'
    KIND = 'feature file'
    PREFIX = _FRAMES
    MISSING = 'make it with tools/extract_features.py'
    LACKING = 'extract the features of this corpus and split'

    def _check(self, metadata: Mapping[str, str]) -> None:
        if lacking := {'network', 'streams'} - metadata.keys():
            raise DataError(f'{self.path}: its metadata lack {sorted(lacking)}')

    @property
    def network(self) -> str:
        """Fingerprint of the network that computed the features."""
        return self.metadata['network']

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams, sorted."""
        return tuple(self.metadata['streams'].split(','))

    def read(self, clip_id: str) -> ClipFeatures:
        """The features of one clip, as float32.

        Raises:
            DataError: If the file lacks the clip.
        """
        clip_id = self.require(clip_id)
        frames = self.array(_FRAMES + clip_id)
        streams = {s: self.array(f'{s}/{clip_id}').astype('<f4') for s in self.streams}
        return ClipFeatures(streams, frames[1:].astype(np.int64), int(frames[0]))


def write_features(
    path: str | os.PathLike, clips: Mapping[str, ClipFeatures], network: str
) -> None:
    """Write a feature file; it is replaced only once all is written.

    Args:
        path: Of the file.
        clips: Features by clip id, all of the same streams.
        network: Fingerprint of the network.

    Examples:
        >>> found = ClipFeatures({'video': np.zeros((6, 832))}, np.arange(24), 24)
        >>> write_features('features.safetensors', {'dev-1': found}, network='f00d')
        >>> FeatureFile('features.safetensors').read('dev-1').streams['video'].shape
        (6, 832)
    """
    arrays = {}
    streams: list[str] = []
    for clip_id, features in clips.items():
        streams = sorted(features.streams)
        frames = np.asarray([features.num_frames, *features.frame_indices])
        arrays[_FRAMES + clip_id] = Stored.of('<i4', frames)
        for stream, values in features.streams.items():
            arrays[f'{stream}/{clip_id}'] = Stored.of('<f2', values)
    metadata = dict(format=FeatureFile.FORMAT, version=FeatureFile.VERSION)
    metadata |= dict(network=network, streams=','.join(streams))
    write_store(path, metadata, arrays)


def join_features(parts: Sequence[str | os.PathLike], path: str | os.PathLike) -> None:
    """Join feature files into one, an array at a time.

    Args:
        parts: Files with different clips.
        path: Of the file to write.

    Raises:
        DataError: If the parts come from different networks.
    """
    files = [FeatureFile(part) for part in parts]
    networks = {(file.network, file.streams) for file in files}
    if len(networks) != 1:
        raise DataError(
            f'{len(files)} parts of {len(networks)} different networks: remove the '
            'folder of parts and extract anew'
        )
    arrays = {}
    for file in files:
        for name in file.arrays:
            dtype = '<i4' if name.startswith(_FRAMES) else '<f2'
            read = partial(file.array, name)
            arrays[name] = Stored(dtype, file.shape(name), read)
    write_store(path, files[0].metadata, arrays)
