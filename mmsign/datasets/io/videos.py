"""Frames of a video file.

The number of frames that a container announces is not to be trusted: it may be
more than can be decoded (some readers then repeat the last frame unasked). Seeking
is not reliable either. So frames are counted by decoding them, once per file and
process, and are read in order from the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmsign.errors import FrameReadError
from mmsign.files import file_stamp

VIDEO_SUFFIXES = (
    *('.3g2', '.3gp', '.asf', '.avi', '.flv', '.m2ts', '.m2v', '.m4v', '.mkv'),
    *('.mov', '.mp4', '.mpeg', '.mpg', '.mts', '.mxf', '.ogv', '.ts'),
    *('.vob', '.webm', '.wmv'),
)

_COUNTS: dict[tuple[str, int, int], int] = {}
# Frames are kept while they are counted up to this many bytes of pixels: 800
# frames of 210×260.
_KEPT_BYTES = 1 << 27


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        return file_stamp(path)
    except OSError as error:
        raise FrameReadError(f'no video file {path}') from error


def _open(path: str) -> cv2.VideoCapture:
    _stamp(path)
    # One thread: loading is parallel over clips already, in worker processes.
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise FrameReadError(
            f'{path}: OpenCV cannot open this video; check that it is complete, '
            'or convert it, for instance to H.264 in mp4'
        )
    # OpenCV 4 may leave a rotated video as it lies in the file.
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def count_frames(path: str) -> int:
    """How many frames of a video can be decoded.

    Raises:
        FrameReadError: If the file is missing or no video.
    """
    stamp = _stamp(path)
    if stamp not in _COUNTS:
        capture = _open(path)
        count = 0
        while capture.grab():
            count += 1
        capture.release()
        _COUNTS[stamp] = count
    return _COUNTS[stamp]


@dataclass(frozen=True)
class VideoTiming:
    """What decoding a video once tells of its time.

    Attributes:
        times: (N,) seconds at which each decodable frame is shown, as the container
            has it; N is what can be decoded.
        fps: Frames per second that the container announces, 0 if none.
        announced: Frames that it announces, 0 if none.
    """

    times: np.ndarray
    fps: float
    announced: int


def read_timing(path: str) -> VideoTiming:
    """Decode a video from beginning to end; nothing but the times is kept.

    Raises:
        FrameReadError: If the file is missing or no video.
    """
    stamp = _stamp(path)
    capture = _open(path)
    times = []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    _COUNTS[stamp] = len(times)
    fps = max(0.0, capture.get(cv2.CAP_PROP_FPS))
    announced = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    capture.release()
    return VideoTiming(np.array(times), fps, announced)


def decode_uncounted(path: str) -> list[np.ndarray] | None:
    """Count a video and keep its frames while doing so.

    Returns:
        All its frames, (H, W, 3) uint8 BGR; None if it has been counted before or
        its frames take more than 128 MiB.

    Raises:
        FrameReadError: If the file is missing or no video.
    """
    stamp = _stamp(path)
    if stamp in _COUNTS:
        return None
    capture = _open(path)
    frames: list[np.ndarray] | None = []
    count = size = 0
    while capture.grab():
        count += 1
        if frames is None:
            continue
        decoded, frame = capture.retrieve()
        if not decoded or size + frame.nbytes > _KEPT_BYTES:
            frames = None
            continue
        size += frame.nbytes
        frames.append(frame)
    capture.release()
    _COUNTS[stamp] = count
    return frames


def decode_video(path: str, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Decode chosen frames.

    Args:
        path: Of the video.
        indices: Frames to yield, rising and distinct. What follows the last is
            not decoded.

    Yields:
        (H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: If the video ends before.
    """
    capture = _open(path)
    position = -1
    for index in indices:
        while position < index:
            if not capture.grab():
                raise FrameReadError(
                    f'{path}: frame {index} cannot be decoded, the video ends '
                    f'after {position + 1} frames'
                )
            position += 1
        decoded, frame = capture.retrieve()
        if not decoded:
            raise FrameReadError(f'{path}: frame {index} cannot be decoded')
        yield frame
    capture.release()
