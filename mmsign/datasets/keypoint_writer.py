"""Write a keypoint file clip by clip, and go on after an interruption.

Symbols: N frames of a clip, K keypoints of the layout.

Clips are appended to a journal beside the file, ``NAME.journal``: a line of JSON with
the clip's id, its N and the checksum of the (N, K, 3) float16 values that follow. A
writer that is killed leaves a journal whose last entry may be incomplete; the next
writer drops that entry and goes on. Closing the writer makes the keypoint file of
the journal, in one step, and removes it.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mmsign.errors import DataError
from mmsign.keypoints import LAYOUT_SIZES

from .keypoint_file import KeypointFile, encode_header, half_precision

try:
    import fcntl
except ImportError:  # Windows: nothing hinders two writers of one file there
    fcntl = None

_LONGEST_LINE = 1 << 16
_FIRST_KEYS = {'layout', 'frame_size'}
_ENTRY_KEYS = {'clip', 'frames', 'crc'}


class KeypointWriter:
    """Collect the keypoints of a corpus.

    ::

        with KeypointWriter('keypoints.safetensors') as writer:
            for clip_id in clips:
                if clip_id not in writer.done:
                    writer.add(clip_id, estimate(clip_id))

    An exception inside the block leaves the journal, so that the same program
    started again goes on; clips of a finished file are kept, and new ones added to
    it. One process writes at a time; several may write files of their own, which
    ``tools/convert/keypoints.py`` joins.

    Args:
        path: Of the keypoint file.
        layout: A key of ``mmsign.keypoints.LAYOUT_SIZES``.
        frame_size: (width, height) in pixels, if all clips have the same.

    Attributes:
        done: Ids of the clips that are written, in this run or an earlier one.

    Raises:
        DataError: If the layout is unknown, the file or journal that is
            there is of another layout or frame size or is damaged, or another
            process writes it.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        layout: str = 'coco_wholebody_133',
        frame_size: tuple[int, int] | None = None,
    ) -> None:
        self.path = Path(path)
        self.layout = layout
        self.frame_size = None if frame_size is None else tuple(map(int, frame_size))
        encode_header({}, layout, frame_size)  # an unknown layout is told first
        self._bytes_per_frame = 2 * 3 * LAYOUT_SIZES[layout]
        # Where each clip's values start in the journal, and N.
        self._entries: dict[str, tuple[int, int]] = {}
        self._finished = self._existing()
        self._journal_path = self.path.with_name(f'{self.path.name}.journal')
        self._journal = open(self._journal_path, 'a+b')  # noqa: SIM115  kept open
        try:
            self._lock()
            self._resume()
        except BaseException:
            self._journal.close()
            raise
        self.done: set[str] = {*self._finished, *self._entries}

    def __enter__(self) -> KeypointWriter:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.close()
            return
        if not self._entries:
            self._journal_path.unlink()
        self._journal.close()

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
            raise DataError(
                f'clip {clip_id}: is in {self.path} already; ask `done` before adding, '
                'or remove the file to start anew'
            )
        half = half_precision(points, clip_id, self.layout)
        data = half.tobytes()
        line = dict(clip=clip_id, frames=len(half), crc=zlib.crc32(data))
        self._append(line, data)
        self._entries[clip_id] = (self._journal.tell() - len(data), len(half))
        self.done.add(clip_id)

    def close(self) -> None:
        """Make the keypoint file and remove the journal."""
        if self._journal.closed:
            return
        if self._entries or not self.path.exists():
            partial = self.path.with_name(f'{self.path.name}.partial')
            with open(partial, 'wb') as file:
                self._write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path)
        self._journal_path.unlink()
        self._journal.close()

    def _write(self, file: BinaryIO) -> None:
        lengths = self._finished | {k: n for k, (_, n) in self._entries.items()}
        order = sorted(lengths)
        header = encode_header(
            {k: lengths[k] for k in order}, self.layout, self.frame_size
        )
        file.write(header)
        finished = KeypointFile(self.path)
        for clip_id in order:
            if clip_id in self._entries:
                start, frames = self._entries[clip_id]
                self._journal.seek(start)
                file.write(self._journal.read(frames * self._bytes_per_frame))
            else:
                file.write(finished.read(clip_id).astype('<f2').tobytes())

    def _existing(self) -> dict[str, int]:
        """Clips of the finished file and their N."""
        if not self.path.exists():
            return {}
        file = KeypointFile(self.path)
        self._require_same(file.layout, file.frame_size, str(self.path))
        return {clip_id: file.length(clip_id) for clip_id in file.clip_ids}

    def _require_same(self, layout: str, frame_size: tuple | None, name: str) -> None:
        if (layout, frame_size) != (self.layout, self.frame_size):
            raise DataError(
                f'{name}: holds keypoints of layout {layout} and frame size '
                f'{frame_size}, to add are such of {self.layout} and '
                f'{self.frame_size}; write to another file'
            )

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(
                f'{self._journal_path}: another process writes this file; give each '
                'process one of its own and join them with tools/convert/keypoints.py'
            ) from error

    def _append(self, line: dict, data: bytes = b'') -> None:
        self._journal.write(json.dumps(line).encode() + b'\n' + data)
        self._journal.flush()

    def _resume(self) -> None:
        """Read the journal's entries; cut off an incomplete last one."""
        self._journal.seek(0)
        first = self._line(_FIRST_KEYS)
        if first is None:
            self._journal.truncate(0)
            self._append(dict(layout=self.layout, frame_size=self.frame_size))
            return
        size = first.get('frame_size')
        self._require_same(
            first.get('layout', ''), size and tuple(size), str(self._journal_path)
        )
        end = self._journal.tell()
        while (line := self._line(_ENTRY_KEYS)) is not None:
            start = self._journal.tell()
            data = self._journal.read(line['frames'] * self._bytes_per_frame)
            if zlib.crc32(data) != line['crc']:
                break
            end = self._journal.tell()
            # A run may have ended after the file was made, before the journal
            # was removed.
            if line['clip'] not in self._finished:
                self._entries[line['clip']] = (start, line['frames'])
        self._journal.seek(end)
        self._journal.truncate()

    def _line(self, keys: set[str]) -> dict | None:
        """The next line; None if it is not complete."""
        text = self._journal.readline(_LONGEST_LINE)
        try:
            line = json.loads(text) if text.endswith(b'\n') else None
        except (ValueError, RecursionError):
            return None
        return line if isinstance(line, dict) and line.keys() == keys else None
