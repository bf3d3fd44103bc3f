"""Clips of which there are keypoints alone: a keypoint file in the place of a video.

Symbols: N frames of a clip.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mmsign.datasets.io.frame_sources import FrameSource
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.errors import ClipError
from mmsign.interop.mediapipe_points import placed
from mmsign.interop.pose_files import POSE_SUFFIX, read_pose
from mmsign.keypoints import select_79

NATIVE = '.safetensors'
_NAMED = re.compile(rf'(.*{re.escape(NATIVE)})@(.+)', re.IGNORECASE | re.DOTALL)


class SkeletonFrames(FrameSource):
    """Frames of plain ground, with the keypoints that were seen there.

    Args:
        points: (N, 79, 3): x px, y px, score.
        size: (width, height) of the frames in pixels.
        name: For errors.
        fps: Frames per second, if they are known.
        estimator: What made the points, if that is known.

    Attributes:
        points, estimator: As given.
    """

    def __init__(
        self,
        points: np.ndarray,
        size: tuple[int, int],
        name: str,
        fps: float | None = None,
        estimator: str | None = None,
    ) -> None:
        super().__init__(name)
        self.estimator = estimator
        self.points, self.frame_size = points, size
        self.times = None if fps is None else np.arange(len(points)) / fps

    def __len__(self) -> int:
        return len(self.points)

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        width, height = self.frame_size
        return (np.zeros((height, width, 3), np.uint8) for _ in indices)


def split_named(path: str) -> tuple[str, str | None]:
    """(file, clip) of ``FILE.safetensors@CLIP``, or the path alone.

    Examples:
        >>> split_named('k.safetensors@dev/a'), split_named('a.mp4')
        (('k.safetensors', 'dev/a'), ('a.mp4', None))
    """
    found = None if os.path.lexists(path) else _NAMED.fullmatch(path)
    return (path, None) if found is None else (found[1], found[2])


def is_skeleton(path: str) -> bool:
    """Whether a clip is named by a file of keypoints."""
    return split_named(path)[0].lower().endswith((NATIVE, POSE_SUFFIX))


def clips_of(path: str) -> list[str]:
    """The clips in a keypoint file, each by its own name; of all else the path itself.

    Raises:
        FileNotFoundError, DataError: If it is a keypoint file that cannot be read.
    """
    file, name = split_named(path)
    if name is not None or not file.lower().endswith(NATIVE):
        return [path]
    return [f'{file}@{clip}' for clip in KeypointFile.open(file).clip_ids]


def open_skeleton(
    path: str, notify: Callable[[str], Any] = lambda text: None
) -> SkeletonFrames:
    """Open the keypoints of a clip.

    Args:
        path: ``FILE.safetensors@CLIP``, the file alone if it has one clip, or
            ``FILE.pose``.
        notify: Is told what is unusual of a ``.pose``, see ``read_pose``.

    Raises:
        ClipError: If the file has several clips, or states no frame size.
        FileNotFoundError, DataError: If it cannot be read.
    """
    file, name = split_named(path)
    if file.lower().endswith(POSE_SUFFIX):
        pose = read_pose(file, notify=notify)
        points = placed(pose.points, pose.frame_size, normalized=False)
        about = pose.frame_size, path, pose.fps, pose.estimator
        return SkeletonFrames(points, *about)
    native = KeypointFile.open(file)
    if name is None and len(clips := native.clip_ids) != 1:
        first = ', '.join(clips[:3])
        raise ClipError(
            f'{path} holds {len(clips)} clips ({first}, …): name one, as {path}@CLIP'
        )
    points = select_79(native.read(name or clips[0]), native.layout)
    if native.frame_size is None:
        raise ClipError(
            f'{path}: {file} states no frame size, which keypoints without a video '
            'need; write it anew with `mmsign convert keypoints --frame-size`'
        )
    return SkeletonFrames(points, native.frame_size, path)
