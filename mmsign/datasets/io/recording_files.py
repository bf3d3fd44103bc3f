"""Files of annotations and the videos that they are about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from mmsign.errors import DataError
from mmsign.interop.elan import ElanFile, ElanMedia
from mmsign.interop.subtitles import SUFFIXES

from .frame_sources import StretchFrames, open_frames
from .frame_times import DEFAULT_FPS, frame_duration, is_steady
from .keypoint_file import KeypointFile
from .listing import existing, files_under, stretch_of
from .videos import VIDEO_SUFFIXES, is_video, scan_video


@dataclass(frozen=True)
class RecordedVideo:
    """A video as a recording.

    Attributes:
        path: Where it is.
        length, step: Seconds that it lasts, and that most of its frames do.
        fps: Frames per second; None if they vary.
    """

    path: Path
    length: float
    step: float
    fps: float | None

    @classmethod
    def open(cls, path: Path) -> RecordedVideo:
        """Look a video over, for which it is decoded once.

        Raises:
            FrameReadError: If there is none.
        """
        times = scan_video(os.fspath(path))[0].times
        step = frame_duration(times) or 1 / DEFAULT_FPS
        length = float(times[-1]) + step if len(times) else 0.0
        return cls(path, length, step, 1 / step if is_steady(times) else None)


def cut_keypoints(
    file: KeypointFile, video: Path, spans: Iterable[tuple[float, float]]
) -> list[np.ndarray]:
    """Keypoints of stretches of a video, out of those of all of it.

    Args:
        file: Has the video by its name.
        video: Of whose very frames they are.
        spans: Start and end of each stretch in seconds.

    Returns:
        (N, K, 3) for each, N its frames: x px, y px, score.

    Raises:
        DataError: If the file lacks the video, or has another number of frames or
            frame size of it.
    """
    name = file.find(video)
    if name is None:
        raise DataError(f'{file.path}: no keypoints of {video}')
    points, whole = file.read(name), open_frames(str(video), keep=False)
    if len(points) != len(whole):
        raise DataError(
            f'{len(whole)} frames in {video}, keypoints of {len(points)} in '
            f'{file.path}; extract them from these very frames'
        )
    file.check_size(whole.source_size, name)
    parts = (
        StretchFrames(stretch_of(str(video), *span), whole, *span) for span in spans
    )
    return [points[part.first : part.first + len(part)] for part in parts]


def linked_video(
    eaf: Path, file: ElanFile, number: int, folder: Path
) -> tuple[Path, ElanMedia]:
    """A video that a file of ELAN is about, and how it is linked.

    It is looked for where the file says, relative to it first, and by its name beside
    it and in ``folder``.

    Args:
        eaf, file: Where the file is, and what is in it.
        number: Which of the linked videos, from 1; sounds are not counted.
        folder: Of all recordings.

    Raises:
        DataError: If it links none, or fewer; or if that is nowhere.
    """
    videos = [m for m in file.media if is_video(_base(m.url or m.relative_url))]
    if len(videos) < number:
        there = ', '.join(_base(m.url) for m in file.media) or 'nothing'
        raise DataError(f'no video number {number} is linked, only {there}')
    media = videos[number - 1]
    places = [_path(eaf.parent, link) for link in (media.relative_url, media.url)]
    name = _base(media.url or media.relative_url)
    tried = [*filter(None, places), eaf.parent / name, folder / name]
    for place in dict.fromkeys(tried):
        found = Path(existing(str(place)))
        if found.is_file():
            return found, media
    where = ', '.join(dict.fromkeys(map(str, tried)))
    raise DataError(f'its video {name} is in none of these places: {where}')


def _base(link: str) -> str:
    return unquote(link).replace('\\', '/').rpartition('/')[2]


def _path(folder: Path, link: str) -> Path | None:
    """Where a link leads; percent signs in it may be escapes, or not."""
    if not link:
        return None
    if link.startswith('file:'):
        # file:/home/…, file:///home/… and file:///C:/…
        link = '/' + link.removeprefix('file:').lstrip('/')
        link = link[1:] if link[2:3] == ':' else link
    plain = folder / link
    return plain if plain.exists() else folder / unquote(link)


def subtitled_video(subtitles: Path) -> Path:
    """The video of a file of subtitles: beside it, of its name, ``rec.mp4`` of
    ``rec.srt`` and of ``rec.de.srt``.

    Raises:
        DataError: If there is none, or several; or if another file beside it is about
            the same video.
    """
    beside = [path for path in subtitles.parent.iterdir() if path.is_file()]
    videos = [path for path in beside if is_video(path.name)]
    video = _only_video(subtitles, videos)
    others = [path for path in beside if path.suffix.lower() in SUFFIXES]
    others = [path for path in others if _only_video(path, videos, False) == video]
    if len(others) > 1:
        both = ' and '.join(sorted(path.name for path in others)[:2])
        raise DataError(f'{video.name} has two files of subtitles, {both}: move one')
    return video


def _only_video(
    subtitles: Path, videos: Sequence[Path], needed: bool = True
) -> Path | None:
    for name in (subtitles.stem, subtitles.stem.rpartition('.')[0]):
        found = sorted(video for video in videos if video.stem == name)
        if len(found) > 1 and needed:
            raise DataError(f'{found[0].name} or {found[1].name}? Rename one')
        if found:
            return found[0]
    if needed:
        kinds = ', '.join(VIDEO_SUFFIXES)
        raise DataError(f'no video of its name beside it ({kinds})')
    return None


def find_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files of some kinds at any depth, in a fixed order."""
    return [
        file
        for file in files_under(folder)
        if file.name.lower().endswith(tuple(suffixes))
    ]
