"""Frames of a video file.

The number of frames that a container announces is not to be trusted: it may be
more than can be decoded (some readers then repeat the last frame unasked). Seeking
is not reliable either. So frames are counted, and their times read, by decoding them
once per file and process, and are read in order from the first.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmsign.errors import FrameReadError, explain
from mmsign.files import file_stamp, opencv_name

from .frame_times import DEFAULT_FPS, frame_duration, nominal_or, repair_times

VIDEO_SUFFIXES = (
    *('.3g2', '.3gp', '.asf', '.avi', '.flv', '.m2ts', '.m2v', '.m4v', '.mkv'),
    *('.mov', '.mp4', '.mpeg', '.mpg', '.mts', '.mxf', '.ogv', '.ts', '.vob'),
    *('.webm', '.wmv'),
)
# Frames are kept while they are counted up to this many bytes of pixels: 800
# frames of 210×260.
_KEPT_BYTES = 1 << 27
# A container may be wrong by a frame or two; that is not damage.
_SLACK = 0.02


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a video once tells.

    Attributes:
        times: (N,) seconds at which each decodable frame is shown, from 0, rising; N
            is what can be decoded.
        time_notices: What was unusual about the times.
        damage: What is missing of the video, in words; empty if nothing is.
    """

    times: np.ndarray
    time_notices: tuple[str, ...]
    damage: str


_INFOS: dict[tuple, VideoInfo] = {}
# The video that was left open last, and the number of the frame that it is at.
_LEFT_OPEN: dict[tuple, tuple[cv2.VideoCapture, int]] = {}


def is_video(name: str) -> bool:
    """Whether a file's name is that of a video; hidden files are none."""
    return name.lower().endswith(VIDEO_SUFFIXES) and not name.startswith('.')


def nominal_fps(path: str, default: float) -> float:
    """The rate that a video announces, read from its head, if it can be one.

    Raises:
        FrameReadError: If the file is missing or no video.
    """
    capture = _open(path)
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return nominal_or(default, fps)


def scan_video(
    path: str, keep: bool = False
) -> tuple[VideoInfo, list[np.ndarray] | None]:
    """Look a video over: it is decoded once per process.

    Args:
        path: Of the video.
        keep: Whether to keep the frames while they are decoded.

    Returns:
        What that tells; and all its frames, (H, W, 3) uint8 BGR, None if they are not
        kept, take more than 128 MiB or the video was known already.

    Raises:
        FrameReadError: If the file is missing or no video.
    """
    if (stamp := _stamp(path)) in _INFOS:
        return _INFOS[stamp], None
    capture = _open(path)
    times, frames, left = [], [], _KEPT_BYTES if keep else -1
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        if left < 0:
            frames.clear()
            continue
        decoded, frame = capture.retrieve()
        left = left - frame.nbytes if decoded else -1
        frames.append(frame)
    nominal = capture.get(cv2.CAP_PROP_FPS)
    announced = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    capture.release()
    repaired, notices = repair_times(np.array(times), nominal)
    repaired = repaired - repaired[:1]
    damage = _damage(path, repaired, nominal, announced)
    info = _INFOS[stamp] = VideoInfo(repaired, tuple(notices), damage)
    return info, frames if left >= 0 else None


def decode_video(
    path: str, indices: Sequence[int], go_on: bool = False
) -> Iterator[np.ndarray]:
    """Decode chosen frames.

    Args:
        path: Of the video.
        indices: Frames to yield, rising and distinct. What follows the last is
            not decoded.
        go_on: Whether to leave the video open behind the last frame, and to go on
            from there the next time if that asks for later ones. So the clips of a
            long recording, one after the other, cost decoding it once.

    Yields:
        (H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: If the video ends before.
    """
    capture, position = None, -1
    if go_on:
        # A process that was forked shares the file, and where it is read, with its
        # parent: it opens its own.
        key = os.getpid(), _stamp(path)
        capture, position = _LEFT_OPEN.pop(key, (None, -1))
    if capture is None or position >= min(indices, default=0):
        capture, position = _open(path), -1
    try:
        for index in indices:
            while position < index:
                if not capture.grab():
                    end = f'the video ends after {position + 1} frames'
                    raise FrameReadError(f'{path}: no frame {index}, {end}')
                position += 1
            decoded, frame = capture.retrieve()
            if not decoded:
                raise FrameReadError(f'{path}: frame {index} cannot be decoded')
            yield frame
    finally:
        if go_on:
            _LEFT_OPEN.clear()
            _LEFT_OPEN[key] = capture, position
        else:
            capture.release()


def _stamp(path: str) -> tuple:
    with explain(FrameReadError, f'no video file {path}', OSError):
        return file_stamp(path)


def _open(path: str) -> cv2.VideoCapture:
    _stamp(path)
    # One thread: loading is parallel over clips already, in worker processes.
    threads = [cv2.CAP_PROP_N_THREADS, 1]
    with explain(FrameReadError, path, cv2.error):
        capture = cv2.VideoCapture(opencv_name(path), cv2.CAP_FFMPEG, threads)
    if not capture.isOpened():
        text = 'OpenCV cannot open this video; is it complete? Else convert it to mp4'
        raise FrameReadError(f'{path}: {text}')
    # OpenCV 4 may leave a rotated video as it lies in the file.
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _damage(path: str, times: np.ndarray, nominal: float, announced: int) -> str:
    count = len(times)
    if announced - count <= max(2, _SLACK * announced):
        return ''
    step = frame_duration(times) or 1 / nominal_or(DEFAULT_FPS, nominal)
    end = times[-1] + step if count else 0.0
    if not _counts_frames(path) and nominal > 0:
        # What is announced is the duration times the nominal rate.
        duration = announced / nominal
        if duration - end <= max(2 * step, _SLACK * duration):
            return ''
    return (
        f'{announced} frames announced, {count} can be decoded: the file is damaged or '
        f'truncated after {end:.2f} s; what follows is not read'
    )


def _counts_frames(path: str) -> bool:
    """Whether a container says how many frames there are, and not only how long.

    MP4 and its kin do, unless in fragments, and AVI does.
    """
    with open(path, 'rb') as file:
        head = file.read(1 << 16)
    return head[:4] == b'RIFF' or (head[4:8] == b'ftyp' and b'mvex' not in head)
