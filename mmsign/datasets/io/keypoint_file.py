"""The native keypoint file: every clip of a corpus in one safetensors file.

Symbols: N frames of a clip, K keypoints of the layout.

One float16 array (N, K, 3) per clip, named by the clip: x and y in pixels of the
source frame, then the estimator's score. Metadata: ``format`` 'mmsign-keypoints',
``version`` '1', ``layout`` (a key of ``mmsign.keypoints.LAYOUT_SIZES``), if all clips
share it ``frame_size`` 'WIDTHxHEIGHT' in pixels, and if it is known ``estimator``, what
made the points: the same name stands for the same network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from mmsign.errors import DataError, explain
from mmsign.keypoints import LAYOUT_SIZES, checked_estimator, parse_frame_size

from .stores import ArrayStore, Journal, Stored, write_store


class KeypointFile(ArrayStore):
    """Read clips of a keypoint file lazily; see ``ArrayStore``."""

    FORMAT = 'mmsign-keypoints'
    KIND = 'keypoint file'
    MISSING = 'name it in `keypoint_file`, absolute or relative to data_root'
    LACKING = 'extract its keypoints, or name the keypoint file of this corpus'

    def _check(self, metadata: Mapping[str, str]) -> None:
        _points(metadata.get('layout', ''), self.path)
        size = metadata.get('frame_size')
        with explain(DataError, f'{self.path}: frame_size', DataError):
            _ = size and parse_frame_size(size)
        checked_estimator(metadata.get('estimator'), self.path)

    @property
    def layout(self) -> str:
        """A key of ``mmsign.keypoints.LAYOUT_SIZES``."""
        return self.metadata['layout']

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels of every clip's frames, if the file says so."""
        size = self.metadata.get('frame_size')
        return parse_frame_size(size) if size else None

    @property
    def estimator(self) -> str | None:
        """What made the points, if the file says so."""
        return self.metadata.get('estimator')

    def length(self, clip_id: str) -> int:
        """Frames of one clip, from the file's header alone; errors as ``read``."""
        return self.shape(self.require(clip_id))[0]

    def check_size(self, frame_size: tuple[int, int], name: str) -> None:
        """Compare the (width, height) of a clip's frames, in pixels, with the stated.

        Raises:
            DataError: Naming the clip and both, if they differ.
        """
        if self.frame_size not in (None, frame_size):
            sizes = frame_size, self.frame_size
            found, stated = ('×'.join(map(str, size)) for size in sizes)
            raise DataError(
                f'{name}: frames of {found} pixels, keypoints of frames of {stated} in '
                f'{self.path}; extract them from these very frames'
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
        points = np.asarray(self.array(self.require(clip_id)), dtype=np.float32)
        _check_points(points, self.layout, clip_id, self.path)
        return points


def write_keypoints(
    path: str | os.PathLike,
    clips: Mapping[str, np.ndarray],
    layout: str = 'coco_wholebody_133',
    frame_size: tuple[int, int] | None = None,
    estimator: str | None = None,
) -> None:
    """Write a keypoint file; the same input gives the same bytes.

    For more clips than fit into memory see ``KeypointWriter``.

    Args:
        path: To write; replaced only once all is written.
        clips: (N, K, 3) arrays by clip id: x px, y px, score.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.
        frame_size: (width, height) in pixels, if all clips have the same.
        estimator: What made the points, if it is known.

    Raises:
        DataError: If the layout is unknown, or an array is not of finite numbers
            (|x| < 65520, as float16) of this shape.

    Examples:
        >>> clips = {'dev-1': np.zeros((25, 133, 3))}
        >>> write_keypoints('keypoints.safetensors', clips, frame_size=(210, 260))
        >>> file = KeypointFile('keypoints.safetensors')
        >>> file.read('dev-1').shape, file.layout, file.frame_size
        ((25, 133, 3), 'coco_wholebody_133', (210, 260))
    """
    halves = {clip: _half(points, clip, layout) for clip, points in clips.items()}
    arrays = {clip: Stored.of('<f2', half) for clip, half in halves.items()}
    write_store(path, _metadata(layout, frame_size, estimator), arrays)


class KeypointWriter:
    """Collect the keypoints of a corpus clip by clip.

    An exception inside the block leaves the journal, so that the same program
    started again goes on; clips of a finished file are kept, and new ones added to
    it. One process writes at a time; several may write files of their own, which
    ``tools/convert/keypoints.py`` joins.

    Args:
        path: Of the keypoint file.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.
        frame_size: (width, height) in pixels, if all clips have the same.
        estimator: What made the points, if it is known. A file that is there and does
            not say is taken to be of the same.

    Attributes:
        done: Ids of the clips that are written, in this run or an earlier one.

    Raises:
        DataError: If the layout is unknown, the file or journal that is
            there is of another layout, frame size or estimator or is damaged, or
            another process writes it.

    Examples:
        >>> with KeypointWriter('keypoints.safetensors') as writer:
        ...     for clip_id in ('dev-1', 'dev-2'):
        ...         if clip_id not in writer.done:
        ...             writer.add(clip_id, np.ones((25, 133, 3)))
        >>> KeypointFile('keypoints.safetensors').clip_ids
        ['dev-1', 'dev-2']
    """

    def __init__(
        self,
        path: str | os.PathLike,
        layout: str = 'coco_wholebody_133',
        frame_size: tuple[int, int] | None = None,
        estimator: str | None = None,
    ) -> None:
        self.path, self.layout = Path(path), layout
        self._metadata = _metadata(layout, frame_size, estimator)
        self._file = KeypointFile(path)
        self._finished: list[str] = []
        if self.path.exists():
            self._finished = self._file.clip_ids
            stated = self._file.layout, self._file.frame_size
            found = _metadata(*stated, self._file.estimator or estimator)
            if found != self._metadata:
                text = f'holds {found}, not {self._metadata}; write to another file'
                raise DataError(f'{path}: {text}')
        size = None if frame_size is None else list(map(int, frame_size))
        about = dict(layout=layout, frame_size=size)
        self._journal = Journal(self.path, about, (LAYOUT_SIZES[layout], 3))
        self.done: set[str] = {*self._finished, *self._journal.clips}

    def __enter__(self) -> KeypointWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.close()
        else:
            self._journal.close(remove=not self._journal.clips)

    def add(self, clip_id: str, points: np.ndarray) -> None:
        """Append a clip; it is on disk, for another process to see, on return.

        Args:
            clip_id: Its name in the corpus.
            points: (N, K, 3) numbers: x and y in pixels of the frame, score.

        Raises:
            DataError: If the clip is there already, or the array is not
                of finite numbers of this shape. Nothing is written then.
        """
        if clip_id in self.done or clip_id == '__metadata__':
            raise DataError(f'clip {clip_id}: is in {self.path} already; ask `done`')
        self._journal.append(clip_id, _half(points, clip_id, self.layout))
        self.done.add(clip_id)

    def close(self) -> None:
        """Make the keypoint file and remove the journal."""
        if self._journal.closed:
            return
        if self._journal.clips or not self.path.exists():
            arrays = self._journal.stored()
            # What is in both was written before a run ended: the file is right.
            for clip in self._finished:
                read = partial(self._file.read, clip)
                arrays[clip] = Stored('<f2', self._file.shape(clip), read)
            write_store(self.path, self._metadata, arrays)
        self._journal.close(remove=True)


def _metadata(
    layout: str, frame_size: tuple[int, int] | None, estimator: str | None
) -> dict[str, str]:
    _points(layout, 'keypoints')
    file = KeypointFile
    metadata = dict(format=file.FORMAT, layout=layout, version=file.VERSION)
    if frame_size is not None:
        metadata['frame_size'] = '{}x{}'.format(*map(int, frame_size))
    if checked_estimator(estimator, 'keypoints') is not None:
        metadata['estimator'] = estimator
    return metadata


def _points(layout: str, name: str) -> int:
    """K of a layout."""
    if layout not in LAYOUT_SIZES:
        known = ', '.join(sorted(LAYOUT_SIZES))
        raise DataError(f'{name}: unknown layout {layout!r}; known: {known}')
    return LAYOUT_SIZES[layout]


def _half(points: np.ndarray, clip_id: str, layout: str) -> np.ndarray:
    """Keypoints of a clip as the file holds them: (N, K, 3) little-endian float16."""
    points = np.asarray(points)
    with np.errstate(over='ignore'):
        half = points.astype('<f2') if points.dtype.kind in 'fiu' else points
    _check_points(half, layout, clip_id, 'what is to be written')
    return half


def _check_points(points: np.ndarray, layout: str, clip_id: str, path: str) -> None:
    """Raise DataError unless these are finite (N, K, 3) numbers."""
    expected = _points(layout, f'clip {clip_id}')
    if points.dtype.kind != 'f' or points.shape[1:] != (expected, 3):
        raise DataError(
            f'clip {clip_id}: {points.dtype} of shape {points.shape} in {path}, '
            f'expected numbers (N, {expected}, 3)'
        )
    # The sum is finite whenever all values are, and is the fastest test.
    if not np.isfinite(points.sum(dtype=np.float64)):
        frame, point = np.argwhere(~np.isfinite(points))[0][:2]
        raise DataError(
            f'clip {clip_id}: keypoint {point} of frame {frame} is not finite in '
            f'{path}; extract it again, or give such points a position and score 0'
        )
