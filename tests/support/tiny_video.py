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


def _elements(data: bytes):
    """Elements of Matroska at the top of ``data``: id, content."""
    at = 0
    while at < len(data):
        length = 8 - data[at].bit_length() + 1
        name, at = data[at : at + length], at + length
        length = 8 - data[at].bit_length() + 1
        size = int.from_bytes(data[at : at + length], 'big') & ((1 << 7 * length) - 1)
        at += length
        if size == (1 << 7 * length) - 1:  # unknown: up to the end
            size = len(data) - at
        yield name.hex(), data[at : at + size]
        at += size


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + struct.pack('>Q', len(content) | 1 << 56) + content


def write_webm(
    path: Path, times: list[float], nominal: float = 25.0, size=SIZE
) -> np.ndarray:
    """A webm as browsers write it: frames at these seconds, any nominal rate."""
    made = path.with_name('made.webm')
    fourcc = cv2.VideoWriter_fourcc(*'VP80')
    writer = cv2.VideoWriter(str(made), fourcc, 25, size)
    frames = np.stack(
        [
            np.full((size[1], size[0], 3), 10 + i % 200, np.uint8)
            for i in range(len(times))
        ]
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    (_, head), (_, segment) = _elements(made.read_bytes())
    made.unlink()
    parts = dict(list(_elements(segment))[:4])
    tracks = bytearray(parts['1654ae6b'])
    at = tracks.index(bytes.fromhex('23e383')) + 3
    length = tracks[at] & 0x7F
    duration = round(1e9 / nominal)
    tracks[at + 1 : at + 1 + length] = duration.to_bytes(length, 'big')
    blocks = [
        block
        for name, cluster in _elements(segment)
        if name == '1f43b675'
        for kind, block in _elements(cluster)
        if kind == 'a3'
    ]
    assert len(blocks) == len(times)
    total = struct.pack('>d', 1000 * (max(times) + 0.04))
    info = _element('2ad7b1', (10**6).to_bytes(4, 'big')) + _element('4489', total)
    body = _element('1549a966', info) + _element('1654ae6b', bytes(tracks))
    for time, block in zip(times, blocks):
        clock = _element('e7', round(1000 * time).to_bytes(8, 'big'))
        block = block[:1] + b'\0\0' + block[3:]
        body += _element('1f43b675', clock + _element('a3', block))
    path.write_bytes(_element('1a45dfa3', head) + _element('18538067', body))
    return frames
