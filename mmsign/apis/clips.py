"""A clip as a user hands it over, and when each of its frames was seen.

Symbols: N frames of the source, H and W of a frame in pixels.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmsign.datasets.io import frame_times
from mmsign.datasets.io.frame_sources import FrameSource, open_frames
from mmsign.errors import ClipError

from .skeletons import SkeletonFrames, is_skeleton, open_skeleton

Given = str | os.PathLike | np.ndarray


class ArrayFrames(FrameSource):
    """Frames in memory.

    Args:
        frames: (N, H, W, 3) uint8 BGR.
        name: For errors.
    """

    def __init__(self, frames: np.ndarray, name: str) -> None:
        super().__init__(name)
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise ClipError(
                f'{name}: an array of shape {frames.shape} and dtype {frames.dtype}; '
                'expected uint8 (frames, height, width, 3), BGR as OpenCV reads them'
            )
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        return (self._frames[index] for index in indices)


@dataclass
class Clip:
    """Frames and their times.

    Attributes:
        name: For records and errors.
        source: The frames as they are.
        times: (N,) seconds of each frame, from 0, rising.
        frame_seconds: How long a chosen frame is shown.
        chosen: (M,) the source frames at the rate of training; at first all.
        notices: What was unusual.
        duration: Seconds from the first frame to the end of the last.
    """

    name: str
    source: FrameSource
    times: np.ndarray
    frame_seconds: float
    chosen: np.ndarray
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._measure()

    def _measure(self) -> None:
        self.duration = float(self.times[-1]) + self.frame_seconds

    @property
    def own_keypoints(self) -> str | None:
        """The file of a clip that is nothing but its keypoints; else None."""
        return self.source.spec if isinstance(self.source, SkeletonFrames) else None

    def frame_times(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When frames (n,) at the rate of training begin and end, in seconds; those
        behind the last as the last."""
        begins = self.times[np.minimum(frames, len(self.times) - 1)]
        return begins, np.minimum(begins + self.frame_seconds, self.duration)

    def resample(self, rate: float | None, step: int = 1) -> None:
        """Choose the frames that a network sees.

        Args:
            rate: Of training, in frames per second; None stays at the clip's own.
            step: At that rate, every so many-th is taken.
        """
        chosen = None if rate is None else frame_times.resample(self.times, rate)
        if chosen is not None:
            self.chosen, ticks = chosen
            found = f'{1 / self.frame_seconds:.4g} frames/s'
            if not frame_times.is_steady(self.times):
                found = f'frames at uneven times (about {found})'
            self.notices.append(
                f'{found}, the network was trained on {rate:g}: resampled from '
                f'{len(self.times)} to {len(self.chosen)} frames'
            )
            self.times, self.frame_seconds = ticks, 1 / rate
            self._measure()
        self.chosen, self.times = self.chosen[::step], self.times[::step]
        self.frame_seconds *= step


def shown_name(given: Given, number: int) -> str:
    """Of a clip in results and errors: its path; an array's number in its list."""
    return f'clip-{number}' if isinstance(given, np.ndarray) else os.fspath(given)


def open_clip(
    given: Given,
    number: int = 0,
    fps: float | None = None,
    default_fps: float | None = None,
) -> Clip:
    """Open a clip.

    Args:
        given: A video file, a folder of images, ``ARCHIVE.zip@FOLDER``, an array
            (N, H, W, 3) uint8 BGR, or keypoints alone (see ``open_skeleton``).
        number: Of the clip in its list; an array is named by it.
        fps: Frames per second; None takes the video's own times.
        default_fps: Of arrays, folders and keypoint files, which have no times of
            their own; None takes ``DEFAULT_FPS``.

    Raises:
        ClipError: If it has no frames, or an array is no array of frames.
        FrameReadError: If the file is missing, damaged or no video.
    """
    if not isinstance(given, (str, os.PathLike, np.ndarray)):
        kind = type(given).__name__
        raise ClipError(f'clip {number}: expected a path or an array, got {kind}')
    name = shown_name(given, number)
    if isinstance(given, np.ndarray):
        source: FrameSource = ArrayFrames(given, name)
    elif is_skeleton(name):
        source = open_skeleton(name)
    else:
        source = open_frames(name, keep=False)
    fps = frame_times.checked_fps(fps, f'{name}: fps')
    if not len(source):
        raise ClipError(f'{name}: no frame can be decoded; make an mp4 of it (H.264)')
    notices = [*source.notices, *filter(None, [source.left_out, source.skipped])]
    if fps is None and source.times is not None:
        times = source.times
        seconds = frame_times.frame_duration(times) or 1 / frame_times.DEFAULT_FPS
        notices += source.time_notices
    else:
        rate = fps or default_fps or frame_times.DEFAULT_FPS
        times, seconds = np.arange(len(source)) / rate, 1 / rate
        if fps is None and isinstance(source, SkeletonFrames):
            notices.append(f'no frame rate is stated, {rate:g} frames/s are assumed')
    if len(source) < 4:
        notices.append(
            f'only {len(source)} frame{"s" * (len(source) > 1)}: the last is repeated; '
            'a sign needs motion, expect nothing of this'
        )
    return Clip(name, source, times, seconds, np.arange(len(times)), notices)
