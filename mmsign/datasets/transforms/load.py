"""Open a clip's frames and keypoints; decode the frames that were chosen.

Symbols: N frames of the clip, T frames after sampling, H and W of a frame.
"""

import os
from contextlib import suppress

import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError, DataError, FrameReadError, explain
from mmsign.keypoints import FACES, misplaced, select_79
from mmsign.notices import warn_once
from mmsign.registry import TRANSFORMS

from ..io.frame_sources import FrameSource, open_frames
from ..io.frame_times import resample
from ..io.keypoint_file import KeypointFile
from ..io.listing import video_of


def open_source(info: dict) -> FrameSource:
    """The frames of a clip as they are in its files.

    Args:
        info: A record of ``SignDataset``.

    Raises:
        FrameReadError: Naming the clip, if it has no readable frames.
    """
    if not info['frames']:
        raise FrameReadError(
            f'clip {info["clip_id"]}: the manifest names no video; train on keypoints '
            'alone (LoadClip(frames=False), as keypoint_slr_folder.py does), with a '
            'frame_size in the keypoint file, or in the manifest'
        )
    with explain(FrameReadError, f'clip {info["clip_id"]}', FrameReadError):
        source = open_frames(info['frames'])
        if not len(source):
            raise FrameReadError(f'{info["frames"]}: no frame can be decoded')
        _ = source.frame_size
    return source


def at_corpus_rate(
    info: dict, count: int, times: np.ndarray | None = None
) -> np.ndarray | None:
    """Which frames of a clip are seen at the corpus's rate.

    Args:
        info: A record of ``SignDataset``.
        count: N, the frames in the clip's files.
        times: (N,) seconds. None, for a folder of images or keypoints alone: they
            have the rate that the record states as theirs, or else the corpus's.

    Returns:
        (M,) numbers of frames; None for all.
    """
    if times is None and info.get('source_fps'):
        times = np.arange(count) / info['source_fps']
    if times is None or info.get('fps') is None:
        return None
    chosen = resample(times, info['fps'])
    return None if chosen is None else chosen[0]


def read_points(
    info: dict, source: FrameSource | None, face: str = 'twostream'
) -> np.ndarray:
    """The keypoints of a clip, a frame of them for each of the source's.

    Args:
        info: A record of ``SignDataset``.
        source: Its frames; None compares nothing.
        face: See ``keypoints.FACES``.

    Returns:
        (N, 79, 3) float32.

    Raises:
        DataError: Naming the clip, if the keypoint file lacks it, has another number
            of frames than the source, or none, or is made for another frame size.
    """
    clip_id = info['clip_id']
    file = keypoint_file_of(info)
    with explain(DataError, f'clip {clip_id}: {file.path}', DataError):
        points = select_79(file.read(clip_id), file.layout, face)
    if not len(points):
        raise DataError(f'clip {clip_id}: no frames of keypoints in {file.path}')
    if source is None:
        return points
    if len(points) != len(source):
        raise DataError(
            f'clip {clip_id}: {len(source)} frames in {info["frames"]}, keypoints of '
            f'{len(points)} in {file.path}; extract them from these very frames'
        )
    file.check_size(source.source_size, f'clip {clip_id}')
    return points


def stated_size(info: dict) -> tuple[int, int] | None:
    """(width, height) in pixels of a clip's frames, of which there may be keypoints
    alone, as its record or the keypoint file states it; None if neither does."""
    return info.get('source_size') or keypoint_file_of(info).frame_size


def keypoint_file_of(info: dict) -> KeypointFile:
    """The keypoint file of a record of ``SignDataset``.

    Raises:
        DataError: Naming the clip, if there is none.
    """
    if info.get('keypoint_file') is None:
        raise DataError(
            f'clip {info["clip_id"]}: no keypoints are named; set `keypoint_file` of '
            'the dataset, or LoadClip(keypoints=False)'
        )
    return KeypointFile.open(info['keypoint_file'])


@TRANSFORMS.register_module()
class LoadClip(BaseTransform):
    """Open the frames and read the keypoints of a clip, at the corpus's frame rate.

    Reads ``clip_id``, ``frames``, ``keypoint_file``, the announced ``num_frames``, the
    corpus's ``fps`` and the clip's own, ``source_fps``. Writes ``num_frames`` (N, what
    is really there, at the corpus's rate), ``frame_size`` (width, height of the
    source), ``crop_box`` (the whole frame), ``frame_source`` with ``chosen_frames``,
    the (N,) frames of it that are seen, None for all, and ``keypoints`` (N, 79, 3)
    float32, with ``face``.

    Args:
        keypoints: Whether to read keypoints.
        frames: Whether to open frames. If not, N is the keypoints' and the size of
            a frame is the one that the record (``source_size``) or the keypoint file
            states, or else that of the clip's first frame; a video is looked at for
            the times of its frames, if it is there.
        face: Whose points of the face are among the 79, a key of ``keypoints.FACES``;
            others than ``twostream`` need files of all 133 points.

    Raises:
        FrameReadError: Naming the clip, if it has no readable frames.
        DataError: Naming the clip, if the keypoint file lacks it, has another number
            of frames than the source, or none, or is made for another frame size.
    """

    def __init__(
        self, keypoints: bool = True, frames: bool = True, face: str = 'twostream'
    ) -> None:
        if not (keypoints or frames):
            raise ConfigError('LoadClip has nothing to load: set keypoints or frames')
        if face not in FACES:
            raise ConfigError(
                f'LoadClip: face={face!r} must be one of {", ".join(FACES)}'
            )
        self.keypoints, self.frames, self.face = keypoints, frames, face

    def transform(self, results: dict) -> dict:
        size = stated_size(results) if self.keypoints else None
        source = None
        if self.frames or size is None:
            source = open_source(results)
            size = source.source_size
        elif results.get('fps') and os.path.isfile(video_of(results['frames'])):
            with suppress(FrameReadError):  # nothing is known of its times then
                source = open_source(results)
        chosen = None
        if source is not None:
            chosen = at_corpus_rate(results, len(source), source.times)
        notices = [] if source is None else list(source.notices)
        if self.keypoints:
            compared = source if self.frames or chosen is not None else None
            points = read_points(results, compared, self.face)
            results['face'] = self.face
            notices.append(misplaced(points, size))
            if source is None:
                chosen = at_corpus_rate(results, len(points))
            results['keypoints'] = points if chosen is None else points[chosen]
            count = len(points)
        if self.frames:
            count = len(source)
            results |= dict(frame_source=source, chosen_frames=chosen)
        announced = results.get('num_frames') or 0
        if announced > count:
            notices.append(f'{announced} frames announced, {count} found and taken')
        results['num_frames'] = count if chosen is None else len(chosen)
        results['frame_size'] = size
        results['crop_box'] = (0.0, 0.0, *map(float, size))
        for notice in filter(None, notices):
            warn_once(f'clip {results["clip_id"]}: {notice}')
        return results


@TRANSFORMS.register_module()
class DecodeClip(BaseTransform):
    """Decode the sampled frames, each distinct one once.

    Reads ``frame_source``, ``chosen_frames``, which a step of one's own may leave out,
    and ``frame_indices`` (T,). Writes ``frames`` (T, H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: Naming clip and file, if a frame is missing, damaged or of
            another size than the first.
    """

    def transform(self, results: dict) -> dict:
        source = results.pop('frame_source')
        chosen = results.pop('chosen_frames', None)
        taken = results['frame_indices']
        taken = taken if chosen is None else chosen[taken]
        with explain(FrameReadError, f'clip {results["clip_id"]}', FrameReadError):
            results['frames'] = source.read(taken)
        return results
