"""Small videos on disk, sound and unsound ones.

OpenCV writes neither a rotation nor uneven times, so the boxes of an mp4 file are
edited here; OpenCV puts them behind the pictures, where they may grow.
"""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 48)  # width, height in pixels


def write_video(path: Path, count: int, fps: float = 25.0, size=SIZE) -> np.ndarray:
    """A video whose frames differ; (count, H, W, 3) uint8 BGR before compression."""
    width, height = size
    ramp = np.linspace(0, 200, width)[None, :, None] + np.zeros((height, 1, 3))
    frames = np.stack([np.roll(ramp, 3 * i, axis=1) for i in range(count)])
    frames = frames.astype(np.uint8)
    frames[:, : height // 2] //= 2  # the upper half is darker
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, size)
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return frames


def _box(data: bytes, path: str) -> list[int]:
    """Where the boxes along a path such as 'moov/trak/tkhd' start."""
    at, end, found = 0, len(data), []
    for name in path.split('/'):
        while data[at + 4 : at + 8] != name.encode():
            at += struct.unpack_from('>I', data, at)[0]
            assert at < end, f'no box {name}'
        found.append(at)
        end = at + struct.unpack_from('>I', data, at)[0]
        at += 8
    return found


def rotate_by_90(path: Path) -> None:
    """Say in the file that players are to turn the pictures to the right."""
    data = bytearray(path.read_bytes())
    start = _box(data, 'moov/trak/tkhd')[-1] + 48
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, SIZE[1] * one, 0, 1 << 30)
    data[start : start + 36] = struct.pack('>9i', *matrix)
    path.write_bytes(data)


def set_durations(path: Path, factors: list[int]) -> None:
    """Show frame i for ``factors[i]`` times its duration."""
    data = bytearray(path.read_bytes())
    boxes = _box(data, 'moov/trak/mdia/minf/stbl/stts')
    size, _, flags, entries, _, delta = struct.unpack_from('>I4s4I', data, boxes[-1])
    assert entries == 1
    table = b''.join(struct.pack('>2I', 1, factor * delta) for factor in factors)
    new = struct.pack('>I4s2I', 16 + len(table), b'stts', flags, len(factors)) + table
    data[boxes[-1] : boxes[-1] + size] = new
    for box in boxes[:-1]:
        old = struct.unpack_from('>I', data, box)[0]
        struct.pack_into('>I', data, box, old + len(new) - size)
    # The list of edits would end the video after its old duration.
    edits = _box(data, 'moov/trak/edts')[-1] + 4
    data[edits : edits + 4] = b'free'
    path.write_bytes(data)


def damage(path: Path) -> None:
    """Overwrite the second half of the pictures with zeros."""
    data = bytearray(path.read_bytes())
    start = data.find(b'mdat') + 4
    size = struct.unpack_from('>I', data, start - 8)[0] - 8
    data[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(data)
