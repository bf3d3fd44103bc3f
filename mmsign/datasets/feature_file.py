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

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mmsign.errors import DataError

from .file_stamp import file_stamp

FORMAT = 'mmsign-features'
VERSION = '1'
FRAMES = 'frames'


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


class FeatureFile:
    """Read clips of a feature file; usable after a fork, opened once per process.

    Args:
        path: Of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it is no feature file.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = os.fspath(path)
        if not os.path.isfile(self.path):
            raise FileNotFoundError(
                f'no feature file {self.path}; make it with tools/extract_features.py'
            )
        try:
            self._tensors = safe_open(self.path, framework='np')
        except SafetensorError as error:
            raise DataError(
                f'{self.path} is not a safetensors file, or is truncated: {error}'
            ) from error
        metadata = self._tensors.metadata() or {}
        found = metadata.get('format'), metadata.get('version')
        if found != (FORMAT, VERSION):
            raise DataError(
                f'{self.path}: expected format {FORMAT!r} version {VERSION!r}, its '
                f'metadata says {found[0]!r} version {found[1]!r}'
            )
        self.network: str = metadata['network']
        self.streams: tuple[str, ...] = tuple(metadata['streams'].split(','))
        prefix = f'{FRAMES}/'
        self.clip_ids = frozenset(
            name[len(prefix) :]
            for name in self._tensors.keys()  # noqa: SIM118  no mapping
            if name.startswith(prefix)
        )

    def tensor(self, name: str) -> np.ndarray:
        """A tensor as it is in the file: ``frames/{clip_id}``, say."""
        return self._tensors.get_tensor(name)

    def read(self, clip_id: str) -> ClipFeatures:
        """The features of one clip, as float32.

        Raises:
            DataError: If the file lacks the clip.
        """
        if clip_id not in self.clip_ids:
            raise DataError(
                f'clip {clip_id}: not among the {len(self.clip_ids)} clips of '
                f'{self.path}; extract the features of this corpus and split'
            )
        frames = self.tensor(f'{FRAMES}/{clip_id}')
        return ClipFeatures(
            streams={
                stream: self.tensor(f'{stream}/{clip_id}').astype('<f4')
                for stream in self.streams
            },
            frame_indices=frames[1:].astype(np.int64),
            num_frames=int(frames[0]),
        )


_OPEN: dict[tuple, FeatureFile] = {}


def open_features(path: str) -> FeatureFile:
    """The ``FeatureFile`` of a path, one object per process and file version."""
    if not os.path.isfile(path):
        return FeatureFile(path)  # says what is missing
    key = (os.getpid(), file_stamp(path))
    if key not in _OPEN:
        _OPEN[key] = FeatureFile(path)
    return _OPEN[key]


def write_features(
    path: str | os.PathLike, clips: Mapping[str, ClipFeatures], network: str
) -> None:
    """Write a feature file; it is replaced only once all is written.

    Args:
        path: Of the file.
        clips: Features by clip id, all of the same streams.
        network: Fingerprint of the network.
    """
    tensors = {}
    streams: list[str] = []
    for clip_id, features in clips.items():
        streams = sorted(features.streams)
        frames = [features.num_frames, *features.frame_indices.tolist()]
        tensors[f'{FRAMES}/{clip_id}'] = np.asarray(frames, dtype='<i4')
        for stream, values in features.streams.items():
            tensors[f'{stream}/{clip_id}'] = np.ascontiguousarray(values, dtype='<f2')
    metadata = _metadata(network, streams)
    partial = Path(f'{os.fspath(path)}.partial')
    save_file(tensors, partial, metadata=metadata)
    os.replace(partial, path)


def join_features(parts: Sequence[str | os.PathLike], path: str | os.PathLike) -> None:
    """Join feature files into one, a tensor at a time.

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
    header: dict = {'__metadata__': _metadata(files[0].network, files[0].streams)}
    end = 0
    # The 4-byte tensors first, so that everything stays aligned.
    order = [
        (f'{kind}/{clip_id}', file)
        for kind in (FRAMES, *files[0].streams)
        for file in files
        for clip_id in sorted(file.clip_ids)
    ]
    for name, file in order:
        tensor = file.tensor(name)
        start, end = end, end + tensor.nbytes
        header[name] = dict(
            dtype='I32' if name.startswith(f'{FRAMES}/') else 'F16',
            shape=list(tensor.shape),
            data_offsets=[start, end],
        )
    encoded = json.dumps(header, ensure_ascii=False, separators=(',', ':')).encode()
    encoded += b' ' * (-len(encoded) % 8)
    partial = Path(f'{os.fspath(path)}.partial')
    with open(partial, 'wb') as out:
        out.write(struct.pack('<Q', len(encoded)))
        out.write(encoded)
        for name, file in order:
            out.write(file.tensor(name).tobytes())
    os.replace(partial, path)


def _metadata(network: str, streams: Sequence[str]) -> dict[str, str]:
    return dict(
        format=FORMAT, version=VERSION, network=network, streams=','.join(streams)
    )
