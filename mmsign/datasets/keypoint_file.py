"""The native keypoint file: every clip of a corpus in one safetensors file.

Symbols: N frames of a clip, K keypoints of the layout.

One float16 tensor (N, K, 3) per clip, named by the clip: x and y in pixels of
the source frame, then the estimator's score. Metadata: ``format``
'mmsign-keypoints', ``version`` '1', ``layout`` (a key of
``mmsign.keypoints.LAYOUT_SIZES``) and, if all clips share it, ``frame_size``
'WIDTHxHEIGHT' in pixels. Any safetensors reader can open it.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from mmsign.errors import DataError
from mmsign.keypoints import LAYOUT_SIZES

from .file_stamp import file_stamp

FORMAT = 'mmsign-keypoints'
VERSION = '1'


class KeypointFile:
    """Read clips of a keypoint file lazily.

    Nothing is opened before the first access. The object may be pickled, and may
    be used after a fork: each process opens the file once, for itself.

    Args:
        path: Of the safetensors file.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = os.fspath(path)
        self._pid = -1

    def __getstate__(self) -> dict:
        return dict(path=self.path, _pid=-1)

    def _open(self) -> None:
        if self._pid == os.getpid():
            return
        if not os.path.isfile(self.path):
            raise _missing(self.path)
        try:
            self._tensors = safe_open(self.path, framework='np')
        except SafetensorError as error:
            raise DataError(
                f'{self.path} is not a safetensors file, or is truncated: {error}'
            ) from error
        metadata = self._tensors.metadata() or {}
        found = (metadata.get('format'), metadata.get('version'))
        if found != (FORMAT, VERSION):
            raise DataError(
                f'{self.path}: expected format {FORMAT!r} version {VERSION!r}, '
                f'its metadata says {found[0]!r} version {found[1]!r}'
            )
        self._layout = metadata.get('layout', '')
        if self._layout not in LAYOUT_SIZES:
            raise DataError(
                f'{self.path}: unknown layout {self._layout!r}; '
                f'known: {sorted(LAYOUT_SIZES)}'
            )
        size = metadata.get('frame_size')
        try:
            self._frame_size = tuple(map(int, size.split('x'))) if size else None
        except ValueError as error:
            raise DataError(
                f"{self.path}: frame_size is {size!r}, expected 'WIDTHxHEIGHT'"
            ) from error
        self._ids = dict.fromkeys(self._tensors.keys())
        self._pid = os.getpid()

    @property
    def layout(self) -> str:
        """A key of ``mmsign.keypoints.LAYOUT_SIZES``."""
        self._open()
        return self._layout

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels of every clip's frames, if the file says so."""
        self._open()
        return self._frame_size

    @property
    def clip_ids(self) -> list[str]:
        """Names of the clips in the file, sorted."""
        self._open()
        return sorted(self._ids)

    def __contains__(self, clip_id: object) -> bool:
        self._open()
        return clip_id in self._ids

    def length(self, clip_id: str) -> int:
        """Frames of one clip, from the file's header alone; errors as ``read``."""
        self._require(clip_id)
        return self._tensors.get_slice(clip_id).get_shape()[0]

    def _require(self, clip_id: str) -> None:
        if clip_id not in self:
            examples = ', '.join(self.clip_ids[:3]) or 'nothing'
            raise DataError(
                f'clip {clip_id}: not in the keypoint file {self.path}, which holds '
                f'{len(self._ids)} clips ({examples}, …); extract its keypoints, '
                'or name the keypoint file of this corpus'
            )

    def read(self, clip_id: str) -> np.ndarray:
        """Keypoints of one clip.

        Returns:
            (N, K, 3) float32: x px, y px, score.

        Raises:
            FileNotFoundError: If there is no such file.
            DataError: If the file lacks the clip, or holds something
                else than finite (N, K, 3) keypoints under its name.
        """
        self._require(clip_id)
        points = np.asarray(self._tensors.get_tensor(clip_id), dtype=np.float32)
        expected = LAYOUT_SIZES[self._layout]
        if points.ndim != 3 or points.shape[1:] != (expected, 3):
            raise DataError(
                f'clip {clip_id}: keypoints of shape {points.shape} in {self.path}, '
                f'expected (N, {expected}, 3)'
            )
        _check_finite(points, clip_id, self.path)
        return points


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(
        f'no keypoint file {path}; name it in the `keypoint_file` of the dataset, '
        'relative to its data_root or absolute'
    )


def _check_finite(points: np.ndarray, clip_id: str, path: str) -> None:
    # The sum is finite whenever all values are, and is the fastest test.
    if np.isfinite(points.sum(dtype=np.float64)):
        return
    frame, point = np.argwhere(~np.isfinite(points))[0][:2]
    raise DataError(
        f'clip {clip_id}: keypoint {point} of frame {frame} is not finite '
        f'in {path}; extract the keypoints of this clip again, or give such points '
        'a position and score 0'
    )


_OPEN: dict[tuple[str, int, int], KeypointFile] = {}


def open_keypoints(path: str) -> KeypointFile:
    """The ``KeypointFile`` of a path, one object per process and file version.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    try:
        stamp = file_stamp(path)
    except FileNotFoundError as error:
        raise _missing(path) from error
    if stamp not in _OPEN:
        _OPEN[stamp] = KeypointFile(path)
    return _OPEN[stamp]


def half_precision(points: np.ndarray, clip_id: str, layout: str) -> np.ndarray:
    """Keypoints of a clip as the file holds them.

    Args:
        points: (N, K, 3): x px, y px, score.
        clip_id: Named in errors.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.

    Returns:
        (N, K, 3) little-endian float16.

    Raises:
        DataError: If the array has another shape, is not of numbers or
            has a value that is not finite as float16 (|x| < 65520).
    """
    points = np.asarray(points)
    expected = LAYOUT_SIZES[layout]
    if points.dtype.kind not in 'fiu' or points.shape[1:] != (expected, 3):
        raise DataError(
            f'clip {clip_id}: keypoints of shape {points.shape} and dtype '
            f'{points.dtype}, expected numbers of shape (N, {expected}, 3)'
        )
    with np.errstate(over='ignore'):
        half = points.astype('<f2')
    _check_finite(half.astype(np.float32), clip_id, 'what is to be written')
    return half


def encode_header(
    lengths: Mapping[str, int], layout: str, frame_size: tuple[int, int] | None
) -> bytes:
    """Beginning of a keypoint file whose clips follow in this order.

    Args:
        lengths: N by clip id.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.
        frame_size: (width, height) in pixels, if all clips have the same.

    Raises:
        DataError: If the layout is unknown.
    """
    if layout not in LAYOUT_SIZES:
        raise DataError(f'unknown layout {layout!r}; known: {sorted(LAYOUT_SIZES)}')
    metadata = {'format': FORMAT, 'layout': layout, 'version': VERSION}
    if frame_size is not None:
        width, height = frame_size
        metadata['frame_size'] = f'{int(width)}x{int(height)}'
    header: dict[str, dict] = {'__metadata__': metadata}
    end = 0
    for clip_id, length in lengths.items():
        shape = [length, LAYOUT_SIZES[layout], 3]
        start, end = end, end + 2 * math.prod(shape)
        header[clip_id] = dict(dtype='F16', shape=shape, data_offsets=[start, end])
    # Written by hand because safetensors puts metadata in a random order.
    encoded = json.dumps(header, ensure_ascii=False, separators=(',', ':')).encode()
    encoded += b' ' * (-len(encoded) % 8)
    return struct.pack('<Q', len(encoded)) + encoded


def write_keypoints(
    path: str | os.PathLike,
    clips: Mapping[str, np.ndarray],
    layout: str = 'coco_wholebody_133',
    frame_size: tuple[int, int] | None = None,
) -> None:
    """Write a keypoint file; the same input gives the same bytes.

    For more clips than fit into memory see ``KeypointWriter``.

    Args:
        path: To write; replaced only once all is written.
        clips: (N, K, 3) arrays by clip id: x px, y px, score.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.
        frame_size: (width, height) in pixels, if all clips have the same.

    Raises:
        DataError: If the layout is unknown, or an array is not as
            ``half_precision`` wants it.
    """
    encode_header({}, layout, frame_size)  # an unknown layout is told first
    arrays = {
        clip_id: half_precision(clips[clip_id], clip_id, layout)
        for clip_id in sorted(clips)
    }
    lengths = {clip_id: len(points) for clip_id, points in arrays.items()}
    path = Path(path)
    partial = path.with_name(f'{path.name}.partial')
    with open(partial, 'wb') as file:
        file.write(encode_header(lengths, layout, frame_size))
        for points in arrays.values():
            file.write(points.tobytes())
    os.replace(partial, path)
