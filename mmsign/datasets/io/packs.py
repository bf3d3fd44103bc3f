"""A corpus packed for training: all its frames as JPEG images in one zip archive.

Decoding a small JPEG takes a fraction of what the original picture takes, and one
large file is kinder to network disks than a million small ones. A pack is read like
any archive (``frames=PACK.zip``). Its frames may be smaller than the source's, but
keypoints stay in pixels of the source: every image states the size it was made from
in a JPEG comment (``images.source_size``).
"""

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from mmsign.errors import DataError, FrameReadError

from .frame_sources import open_frames
from .images import resized, with_source_size

OPTIONS_MEMBER = 'mmsign-pack.json'
_LOCAL_HEADER = struct.Struct('<4s10x3L2H')
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same input gives the same bytes


def pack_clip(spec: str, short_side: int, quality: int) -> list[bytes]:
    """Encode the frames of a clip.

    Args:
        spec: See ``open_frames``.
        short_side: In pixels, to which larger frames are shrunk (antialiased);
            smaller ones keep their size.
        quality: Of the JPEG images, 1 to 100.

    Returns:
        One JPEG image per frame.

    Raises:
        FrameReadError: Naming the clip's file, if a frame is missing or damaged.
    """
    source = open_frames(spec)
    size = source.source_size
    images = []
    for frame in source:
        frame = shrink(frame, short_side)
        done, data = cv2.imencode('.jpg', frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if not done:
            raise FrameReadError(f'{spec}: OpenCV cannot encode a frame as JPEG')
        images.append(with_source_size(data.tobytes(), size))
    return images


def shrink(frame: np.ndarray, short_side: int) -> np.ndarray:
    """(H, W, 3) uint8 → the same with the shorter side at most ``short_side``."""
    height, width = frame.shape[:2]
    factor = short_side / min(height, width)
    if factor >= 1:
        return frame
    size = max(1, round(height * factor)), max(1, round(width * factor))
    return resized(frame[None], size)[0]


class _Archive(zipfile.ZipFile):
    """One that gets no index when it is abandoned."""

    def __del__(self) -> None:
        pass


class PackWriter:
    """Write a pack clip by clip; an interrupted one is continued.

    Until ``finish`` all goes to ``PATH.partial``. What is complete in there is found
    again by walking over its members, so it may be interrupted at any byte.

    Args:
        path: Of the zip archive.
        options: What it is made with; a partial pack made with others is refused.

    Attributes:
        done: Folders of the clips that are complete.

    Raises:
        DataError: If ``path`` exists, or a partial pack has other options.

    Examples:
        >>> os.makedirs('frames')
        >>> _ = cv2.imwrite('frames/1.png', np.zeros((260, 210, 3), np.uint8))
        >>> options = dict(short_side=105, quality=90)
        >>> pack = PackWriter('pack.zip', options)
        >>> pack.add('dev-1', pack_clip('frames', **options))
        >>> pack.finish()
        >>> frames = open_frames('pack.zip@dev-1')
        >>> frames.read(np.array([0])).shape, frames.source_size
        ((1, 130, 105, 3), (210, 260))
    """

    def __init__(self, path: str | os.PathLike, options: dict) -> None:
        self.path = os.fspath(path)
        self.partial = f'{self.path}.partial'
        if os.path.exists(self.path):
            raise DataError(f'{self.path} exists; remove it or choose another name')
        os.makedirs(os.path.dirname(self.path) or '.', exist_ok=True)
        there = os.path.exists(self.partial)
        members, end = self._recover(options) if there else ([], 0)
        self._file = open(self.partial, 'r+b' if there else 'w+b')  # noqa: SIM115
        self._file.truncate(end)
        self._file.seek(end)
        self._zip = _Archive(self._file, 'w', zipfile.ZIP_STORED)
        self._zip.filelist.extend(members)
        self.done = {m.filename.rpartition('/')[0] for m in members} - {''}
        if not members:
            self._zip.writestr(_member(OPTIONS_MEMBER), _encoded(options))

    def add(self, folder: str, images: Sequence[bytes]) -> None:
        """Append a clip: its images become ``FOLDER/000001.jpg`` and so on."""
        for number, image in enumerate(images, 1):
            self._zip.writestr(_member(f'{folder}/{number:06d}.jpg'), image)
        # The next process reads what the system has, not what this one buffers.
        self._file.flush()
        self.done.add(folder)

    def finish(self) -> None:
        """Write the index and give the archive its name."""
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self.partial, self.path)

    def _recover(self, options: dict) -> tuple[list[zipfile.ZipInfo], int]:
        """Members of the complete clips in a partial pack, and where they end."""
        members: list[zipfile.ZipInfo] = []
        end = 0
        with open(self.partial, 'rb') as file:
            while (found := _next_member(file)) is not None:
                if not members and found[1] != _encoded(options):
                    made = found[1][:200].decode(errors='replace')
                    raise DataError(
                        f'{self.partial}: an unfinished pack, made with {made}; remove '
                        'it, or use the same options'
                    )
                members.append(found[0])
                end = file.tell()
        # Whether the last clip is complete is not known: it is written again.
        last = members[-1].filename.rpartition('/')[0] if members else ''
        while last and members and members[-1].filename.startswith(f'{last}/'):
            end = members.pop().header_offset
        return members, end


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    return member


def _encoded(options: dict) -> bytes:
    return json.dumps(options, sort_keys=True).encode()


def _next_member(file) -> tuple[zipfile.ZipInfo, bytes] | None:
    """The whole member at the file's position and its data, or None."""
    start = file.tell()
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return None
    magic, checksum, packed, size, *lengths = _LOCAL_HEADER.unpack(header)
    if magic != b'PK\x03\x04' or packed != size:
        return None
    name, _ = map(file.read, lengths)  # and the extra field
    data = file.read(size)
    if len(data) < size or zlib.crc32(data) != checksum:
        return None
    member = _member(name.decode('utf-8'))
    member.CRC, member.file_size, member.compress_size = checksum, size, packed
    member.header_offset = start
    return member, data
