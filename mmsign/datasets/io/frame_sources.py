"""Where a clip's frames come from: a folder, a zip archive, a video file or a stretch
of one.

Symbols: N frames of a clip, T frames asked for, H and W of a frame in pixels.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import repeat

import numpy as np

from mmsign.errors import FrameReadError, explain

from .archives import open_archive, safe_member
from .frame_times import DEFAULT_FPS, frame_duration
from .images import IMAGE_SUFFIXES, decode_image, image_size, is_image, source_size
from .listing import existing, in_order, left_out, skipped, split_archive, split_stretch
from .videos import VIDEO_SUFFIXES, decode_video, scan_video


class FrameSource(ABC):
    """Random access to the frames of one clip.

    Attributes:
        spec: What the source was opened from.
        times: (N,) seconds of the frames, from 0, rising; None if they have none.
        time_notices: What was unusual about the times, in words.
        notices: What else was.
        left_out: Which files of a folder are no frames, in words.
        skipped: Which frames are missing by the names of the others, in words.
    """

    times: np.ndarray | None = None
    time_notices: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    left_out: str = ''
    skipped: str = ''

    def __init__(self, spec: str) -> None:
        self.spec = spec

    @abstractmethod
    def __len__(self) -> int:
        """N, the frames that exist."""

    @abstractmethod
    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        """Frames at rising, distinct indices, each (H, W, 3) uint8 BGR."""

    def _name(self, index: int) -> str:
        """How an error calls a frame."""
        return f'{self.spec}, frame {index}'

    @cached_property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) in pixels of the first frame, and so of all."""
        (first,) = self._decode([0])
        height, width = first.shape[:2]
        return width, height

    @property
    def source_size(self) -> tuple[int, int]:
        """(width, height) that keypoints and crop boxes refer to, in pixels.

        That of the frames, unless they were shrunk when the corpus was packed.
        """
        return self.frame_size

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order, (H, W, 3) uint8 BGR, one at a time."""
        yield from self._decode(range(len(self)))

    def read(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Decode chosen frames, each distinct one once.

        Args:
            indices: (T,) numbers of frames, in any order, repeats allowed.

        Returns:
            (T, H, W, 3) uint8 BGR.

        Raises:
            IndexError: If an index is not in 0..N−1.
            FrameReadError: If a frame is missing, damaged or of another size
                than the clip's first.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self):
            asked = f'{indices.min()}..{indices.max()}'
            raise IndexError(f'{self.spec}: frames {asked} asked for, of {len(self)}')
        distinct, places = np.unique(indices, return_inverse=True)
        width, height = self.frame_size
        frames = np.empty((len(distinct), height, width, 3), np.uint8)
        for place, (_, frame) in zip(frames, self._checked(distinct)):
            place[...] = frame
        return frames if np.array_equal(distinct, indices) else frames[places]

    def stream(self, indices: Sequence[int] | np.ndarray) -> Iterator[np.ndarray]:
        """Decode chosen frames one after the other; none is kept.

        Args:
            indices: (T,) numbers of frames, not falling, repeats allowed.

        Yields:
            T times (H, W, 3) uint8 BGR.

        Raises:
            FrameReadError: As in ``read``.
        """
        distinct, repeats = np.unique(np.asarray(indices), return_counts=True)
        for (_, frame), times in zip(self._checked(distinct), repeats):
            yield from repeat(frame, times)

    def _checked(self, indices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Frames at rising, distinct indices, each with its index."""
        width, height = self.frame_size
        for index, frame in zip(indices, self._decode(indices)):
            if frame.shape != (height, width, 3):
                found = f'{frame.shape[1]}×{frame.shape[0]}'
                raise FrameReadError(
                    f'{self._name(index)}: a frame of {found} pixels in a clip of '
                    f'{width}×{height}; all frames of a clip must have one size'
                )
            yield index, frame


class _ImageFrames(FrameSource):
    """Frames that are single images, in the order of their names."""

    def __init__(self, spec: str, names: Iterable[str]) -> None:
        super().__init__(spec)
        self.names = in_order(names, spec)
        self.skipped = skipped(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        for index in indices:
            yield decode_image(self._bytes(self.names[index]), self._name(index))

    @cached_property
    def _first(self) -> bytes:
        # A sampled clip may not need its first frame: its head is enough.
        return self._bytes(self.names[0])

    @cached_property
    def frame_size(self) -> tuple[int, int]:
        return image_size(self._first) or super().frame_size

    @cached_property
    def source_size(self) -> tuple[int, int]:
        return source_size(self._first) or self.frame_size

    def _name(self, index: int) -> str:
        return f'{self.spec}/{self.names[index]}'

    @abstractmethod
    def _bytes(self, name: str) -> bytes:
        """Content of an image file."""


class FolderFrames(_ImageFrames):
    """The images of a folder.

    Args:
        spec: Path of the folder.
    """

    def __init__(self, spec: str) -> None:
        kinds = ', '.join(VIDEO_SUFFIXES)
        text = f'no folder of frames {spec}, nor a zip archive or video ({kinds})'
        with explain(FrameReadError, f'{text}; check data_root and `frames`', OSError):
            listed = [name for name in os.listdir(spec) if not name.startswith('.')]
        names = list(filter(is_image, listed))
        if not names:
            kinds = ', '.join(IMAGE_SUFFIXES)
            raise FrameReadError(f'{spec}: the folder holds no images ({kinds})')
        super().__init__(spec, names)
        others = sorted(set(listed) - set(names))
        others = [n for n in others if not os.path.isdir(os.path.join(spec, n))]
        self.left_out = left_out(others, IMAGE_SUFFIXES)

    def _bytes(self, name: str) -> bytes:
        path = os.path.join(self.spec, name)
        told = explain(FrameReadError, f'{path}: cannot be read, restore it', OSError)
        # Frames are small and many: neither a Path nor a buffer for each.
        with told, open(path, 'rb', buffering=0) as file:
            return file.read()


class ArchiveFrames(_ImageFrames):
    """The images of a folder inside a zip archive.

    Args:
        spec: ``ARCHIVE.zip@FOLDER``.
    """

    def __init__(self, spec: str) -> None:
        path, folder = split_archive(spec)
        folder = folder.removeprefix('./').rstrip('/')
        if not safe_member(folder):
            raise FrameReadError(f"{spec}: the inner folder must be relative, no '..'")
        self._archive = open_archive(existing(path))
        self._members = self._archive.images(folder)
        super().__init__(spec, self._members)

    def _bytes(self, name: str) -> bytes:
        return self._archive.read(self._members[name], f'{self.spec}/{name}')


class VideoFrames(FrameSource):
    """The frames of a video file, as many as can be decoded.

    Counting them means decoding them. The first time, the frames of a short video
    may be kept while they are counted, so that it is decoded once and not twice.

    Args:
        spec: Path of the video.
        keep: Whether they may.
    """

    def __init__(self, spec: str, keep: bool) -> None:
        super().__init__(spec)
        info, self._kept = scan_video(spec, keep)
        self.times, self.time_notices = info.times, info.time_notices
        self.notices = (info.damage,) if info.damage else ()

    def __len__(self) -> int:
        return len(self.times)

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        if self._kept:
            return (self._kept[index] for index in indices)
        return decode_video(self.spec, indices)


class StretchFrames(FrameSource):
    """The frames of a video that are shown between two times.

    A frame belongs to the stretch in which the middle of its time lies: of stretches
    that meet, each frame is in one.

    Args:
        spec: ``VIDEO#t=START,END``.
        video: The video's frames.
        start, end: Seconds from the video's first frame.

    Attributes:
        first: The number that its first frame has in the video.

    Raises:
        FrameReadError: If the video has no times, or no frame in between.
    """

    def __init__(self, spec: str, video: FrameSource, start: float, end: float) -> None:
        super().__init__(spec)
        if not isinstance(video, VideoFrames):
            raise FrameReadError(
                f'{spec}: images have no times; a start and an end are of a video'
            )
        times = video.times
        step = frame_duration(times) or 1 / DEFAULT_FPS
        middles = times + np.diff(times, append=times[-1:] + step) / 2
        first, last = np.searchsorted(middles, (start, end)).tolist()
        over = times[-1] + step if len(times) else 0.0
        if first >= last:
            raise FrameReadError(
                f'{spec}: no frame from {start:g} to {end:g} s; the video is '
                f'{over:.3f} s long'
            )
        self._video, self.first = video, first
        self.times = times[first:last] - times[first]
        self.time_notices = video.time_notices
        # What is damaged behind the stretch is none of its business.
        self.notices = video.notices if last == len(times) else ()
        if end > over + step:
            cut = f'the video is over after {over:.3f} s, the stretch at {end:g} s'
            self.notices += (cut,)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) in pixels of the video's frames."""
        return self._video.frame_size

    def _decode(self, indices: Sequence[int]) -> Iterable[np.ndarray]:
        moved = [self.first + int(index) for index in indices]
        return decode_video(self._video.spec, moved, go_on=True)

    def _name(self, index: int) -> str:
        return self._video._name(self.first + index)


def open_frames(spec: str, keep: bool = True) -> FrameSource:
    """Open a clip's frames.

    Args:
        spec: A folder of images (PNG, JPEG, WebP, …), in the order of the numbers in
            their names; ``ARCHIVE.zip@FOLDER``, a folder of images in a zip archive;
            a video file (mp4, avi, …); or ``VIDEO#t=START,END``, what is shown of it
            between two times, in seconds.
        keep: Whether a video may keep its frames in memory; see ``VideoFrames``.

    Raises:
        FrameReadError: If there is nothing of the kind.

    Examples:
        >>> import cv2
        >>> os.makedirs('frames')
        >>> for number in range(3):
        ...     image = np.full((260, 210, 3), 80 * number, np.uint8)
        ...     _ = cv2.imwrite(f'frames/{number}.png', image)
        >>> frames = open_frames('frames')
        >>> len(frames), frames.source_size
        (3, (210, 260))
        >>> frames.read(np.array([0, 2, 2])).shape  # (T, H, W, 3) uint8 BGR
        (3, 260, 210, 3)
    """
    if stretch := split_stretch(spec):
        video, start, end = stretch
        return StretchFrames(spec, open_frames(video, keep=False), start, end)
    if split_archive(spec):
        return ArchiveFrames(spec)
    spec = existing(spec)
    if spec.lower().endswith(VIDEO_SUFFIXES) and not os.path.isdir(spec):
        return VideoFrames(spec, keep)
    return FolderFrames(spec)


def prepare_frames(pattern: str) -> None:
    """Index the zip archive of a corpus before worker processes are forked.

    They then inherit the index instead of making it anew, each and every epoch.
    A folder or a video needs no preparation, and an archive that cannot be read
    is complained of when a clip is asked for.

    Args:
        pattern: What the clips' frames are opened from, see ``open_frames``.
    """
    if archive := split_archive(pattern):
        with suppress(FrameReadError):
            open_archive(archive[0])
