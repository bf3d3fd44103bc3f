"""Files .pose, by ``pose-format`` where it is installed, and by a stand-in elsewhere.

The stand-in has what mmsign calls of the library, and its file layout 0.2.
"""

from __future__ import annotations

import struct
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np


class Component:
    def __init__(self, name, points, limbs, colors, point_format):
        self.name, self.points, self.format = name, points, point_format
        self.limbs, self.colors = limbs, colors


class Dimensions:
    def __init__(self, width, height, depth=0):
        self.width, self.height, self.depth = width, height, depth


class Header:
    def __init__(self, version, dimensions, components):
        self.version, self.dimensions = version, dimensions
        self.components = components


class Body:
    def __init__(self, fps, data, confidence):
        self.fps, self.data, self.confidence = fps, data, confidence


def _text(text: str) -> bytes:
    return struct.pack('<H', len(text.encode())) + text.encode()


class Pose:
    def __init__(self, header, body):
        self.header, self.body = header, body

    def write(self, out):
        size = self.header.dimensions
        out.write(struct.pack('<fHHH', 0.2, size.width, size.height, size.depth))
        out.write(struct.pack('<H', len(self.header.components)))
        for part in self.header.components:
            out.write(_text(part.name) + _text(part.format))
            counts = map(len, (part.points, part.limbs, part.colors))
            out.write(struct.pack('<HHH', *counts) + b''.join(map(_text, part.points)))
            out.write(np.array(part.limbs, '<u2').tobytes())
            out.write(np.array(part.colors, '<u2').tobytes())
        frames, persons = self.body.data.shape[:2]
        out.write(struct.pack('<fIH', self.body.fps, frames, persons))
        for array in (self.body.data, self.body.confidence):
            out.write(np.asarray(array, '<f4').tobytes())

    @staticmethod
    def read(data: bytes):
        place = 0

        def take(kinds: str):
            nonlocal place
            found = struct.unpack_from('<' + kinds, data, place)
            place += struct.calcsize('<' + kinds)
            return found

        def text() -> str:
            (length,) = take('H')
            return take(f'{length}s')[0].decode()

        version, *size = take('fHHH')
        if round(version, 3) != 0.2:
            raise NotImplementedError(version)
        components = []
        for _ in range(take('H')[0]):
            name, kind = text(), text()
            points, limbs, colors = take('HHH')
            names = [text() for _ in range(points)]
            take(f'{2 * limbs + 3 * colors}H')
            components.append(Component(name, names, [], [], kind))
        fps, frames, persons = take('fIH')
        points = sum(len(part.points) for part in components)
        dims = max(len(part.format) for part in components) - 1
        arrays = []
        for shape in ((frames, persons, points, dims), (frames, persons, points)):
            arrays.append(np.ndarray(shape, '<f4', data, place))
            place += arrays[-1].nbytes
        return Pose(Header(version, Dimensions(*size), components), Body(fps, *arrays))


def stand_in(monkeypatch) -> None:
    """Let the library's name be this."""
    modules = dict(pose_format={}, numpy={}, pose_header={})
    modules['pose_format'] = dict(Pose=Pose)
    modules['pose_header'] = dict(
        PoseHeader=Header,
        PoseHeaderComponent=Component,
        PoseHeaderDimensions=Dimensions,
    )
    modules['numpy'] = dict(NumPyPoseBody=Body)
    for name, content in modules.items():
        full = name if name == 'pose_format' else f'pose_format.{name}'
        module = types.ModuleType(full)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, full, module)


def write_foreign(
    path: Path,
    parts: dict[str, Sequence[str]],
    data: np.ndarray,
    confidence: np.ndarray,
    size: tuple[int, int] = (200, 100),
    fps: float = 30.0,
) -> None:
    """A file of any layout; data (N, P, K, 2 or 3) and confidence (N, P, K)."""
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import (
        PoseHeader,
        PoseHeaderComponent,
        PoseHeaderDimensions,
    )

    kind = 'XYZ'[: data.shape[-1]] + 'C'
    components = [
        PoseHeaderComponent(name, list(points), [], [(255, 0, 0)], kind)
        for name, points in parts.items()
    ]
    header = PoseHeader(0.2, PoseHeaderDimensions(*size), components)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'wb') as out:
        Pose(header, NumPyPoseBody(fps, data, confidence)).write(out)
