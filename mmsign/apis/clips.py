"""A clip as a user hands it over, and when each of its frames was seen.

Symbols: N frames of the source, H and W of a frame in pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmsign.datasets.io.frame_sources import VIDEO_SUFFIXES, FrameSource, open_frames
from mmsign.datasets.io.videos import VideoTiming, read_timing
from mmsign.errors import ClipError

from .frame_rate import frame_duration, is_steady, resample

DEFAULT_FPS = 25.0
"""Rate of arrays and folders of images when neither user nor network says another."""


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
                'expected (frames, height, width, 3) of uint8, channels in the order '
                'blue, green, red as OpenCV reads them'
            )
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        return (self._frames[index] for index in indices)

    def _name(self, index: int) -> str:
        return f'{self.spec}, frame {index}'


@dataclass
class Clip:
    """Frames and their times.

    Attributes:
        name: For records and errors.
        source: The frames as they are.
        times: (N,) seconds of each frame, from 0, rising.
        frame_seconds: How long a frame is shown.
        indices: (M,) the source frames at the rate of training, or None for all.
        notices: What was unusual.
    """

    name: str
    source: FrameSource
    times: np.ndarray
    frame_seconds: float
    indices: np.ndarray | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float(self.times[-1]) + self.frame_seconds

    def resample(self, rate: float | None) -> None:
        """Choose ``indices`` for the rate of training in frames per second."""
        if rate is None:
            return
        self.indices = resample(self.times, rate)
        if self.indices is not None:
            found = f'{1 / self.frame_seconds:.4g} frames/s'
            if not is_steady(self.times):
                found = f'frames at uneven times (about {found})'
            self.notices.append(
                f'{found}, the network was trained on {rate:g}: resampled from '
                f'{len(self.times)} to {len(self.indices)} frames'
            )
            start = self.times[0]
            self.times = start + np.arange(len(self.indices)) / rate
            self.frame_seconds = 1 / rate


def open_clip(
    given: str | os.PathLike | np.ndarray,
    number: int = 0,
    fps: float | None = None,
    default_fps: float | None = None,
) -> Clip:
    """Open a clip.

    Args:
        given: A video file, a folder of images, ``ARCHIVE.zip@FOLDER``, or an
            array (N, H, W, 3) uint8 BGR.
        number: Of the clip in its list; an array is named by it.
        fps: Frames per second; None takes the video's own times.
        default_fps: Of arrays and folders, which have no times of their own; None
            takes ``DEFAULT_FPS``.

    Raises:
        ClipError: If it has no frames, or an array is no array of frames.
        FrameReadError: If the file is missing, damaged or no video.
    """
    timing = VideoTiming(np.zeros(0), 0.0, 0)
    if isinstance(given, np.ndarray):
        name = f'clip-{number}'
        source: FrameSource = ArrayFrames(given, name)
    elif isinstance(given, (str, os.PathLike)):
        name = os.fspath(given)
        if name.lower().endswith(VIDEO_SUFFIXES) and not os.path.isdir(name):
            # First: frames of a video whose length is known are not kept in memory.
            timing = read_timing(name)
        source = open_frames(name)
    else:
        raise ClipError(
            f'clip {number}: expected a path or an array of frames, got '
            f'{type(given).__name__}'
        )
    if fps is not None and not fps > 0:
        raise ClipError(f'{name}: fps must be positive, not {fps}')
    if not len(source):
        raise ClipError(
            f'{name}: no frame can be decoded; the file is empty or damaged. Convert '
            'it again, for instance to H.264 in mp4'
        )
    clip = Clip(name, source, np.zeros(0), 0.0)
    _set_times(clip, timing, fps, default_fps or DEFAULT_FPS)
    return clip


def _set_times(
    clip: Clip, timing: VideoTiming, fps: float | None, default_fps: float
) -> None:
    count = len(clip.source)
    times = timing.times
    rate = fps or timing.fps or default_fps
    if fps is None and len(times) == count > 1 and np.all(np.diff(times) > 0):
        clip.times = times - times[0]
        clip.frame_seconds = frame_duration(times)
    else:
        clip.times = np.arange(count) / rate
        clip.frame_seconds = 1 / rate
    lost = timing.announced - count
    # Many writers are wrong by a frame or two; that is not damage.
    if lost > max(2, 0.02 * timing.announced):
        clip.notices.append(
            f'{timing.announced} frames announced, {count} can be decoded: the file '
            f'is damaged or truncated after {clip.duration:.2f} s; what follows is '
            'not read'
        )
    if count < 4:
        clip.notices.append(
            f'only {count} frame{"s" * (count > 1)}: the last is repeated; a sign '
            'needs motion, expect nothing of this'
        )
