"""Open a clip's frames and keypoints; decode the frames that were chosen.

Symbols: N frames of the source, T frames after sampling, H and W of a frame.
"""

from __future__ import annotations

import logging

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from mmsign.errors import ConfigError, DataError, FrameReadError
from mmsign.keypoints import select_79
from mmsign.registry import TRANSFORMS

from ..io.frame_sources import open_frames
from ..io.keypoint_file import open_keypoints

# Clips whose annotation has been found to announce too many frames.
_warned: set[str] = set()


@TRANSFORMS.register_module()
class LoadClip(BaseTransform):
    """Open the frames and read the keypoints of a clip.

    Reads ``clip_id``, ``frames``, ``keypoint_file`` and the announced
    ``num_frames``. Writes ``num_frames`` (N, what is really there), ``frame_size``
    (width, height of the source), ``crop_box`` (the whole frame), ``frame_source`` and
    ``keypoints`` (N, 79, 3) float32.

    Args:
        keypoints: Whether to read keypoints.
        frames: Whether to open frames. If not, N is the keypoints' and the size of
            a frame is the one that the keypoint file states, or else that of the
            clip's first frame.

    Raises:
        FrameReadError: Naming the clip, if it has no readable frames.
        DataError: Naming the clip, if the keypoint file lacks it, or has
            another number of frames than the source, or none.
    """

    def __init__(self, keypoints: bool = True, frames: bool = True) -> None:
        if not (keypoints or frames):
            raise ConfigError('LoadClip has nothing to load: set keypoints or frames')
        self.keypoints = keypoints
        self.frames = frames

    def transform(self, results: dict) -> dict:
        clip_id, announced = results['clip_id'], results.get('num_frames')
        file = self._keypoint_file(results) if self.keypoints else None
        stated_size = None if file is None else file.frame_size
        try:
            source = None
            if self.frames or stated_size is None:
                source = open_frames(results['frames'])
                stated_size = source.source_size
            if self.frames:
                results['frame_source'] = source
                results['num_frames'] = len(source)
        except FrameReadError as error:
            raise FrameReadError(f'clip {clip_id}: {error}') from error
        results['frame_size'] = stated_size
        results['crop_box'] = (0.0, 0.0, *map(float, stated_size))
        if file is not None:
            points = select_79(file.read(clip_id), file.layout)
            self._check_count(results, len(points), file.path)
            results['keypoints'] = points
        if announced is not None and announced > results['num_frames']:
            _warn_once(clip_id, announced, results['num_frames'])
        return results

    def _keypoint_file(self, results: dict):
        if results.get('keypoint_file') is None:
            raise DataError(
                f'clip {results["clip_id"]}: the pipeline loads keypoints, but no '
                'file is named; set the `keypoint_file` of the dataset, or '
                'LoadClip(keypoints=False)'
            )
        return open_keypoints(results['keypoint_file'])

    def _check_count(self, results: dict, count: int, path: str) -> None:
        if count < 1:
            raise DataError(
                f'clip {results["clip_id"]}: no frames of keypoints in {path}'
            )
        if not self.frames:
            results['num_frames'] = count
        elif count != results['num_frames']:
            raise DataError(
                f'clip {results["clip_id"]}: {results["num_frames"]} frames in '
                f'{results["frames"]}, but {count} frames of keypoints in {path}; '
                'extract the keypoints from these very frames'
            )


def _warn_once(clip_id: str, announced: int, found: int) -> None:
    if clip_id in _warned:
        return
    _warned.add(clip_id)
    print_log(
        f'clip {clip_id}: {announced} frames announced, {found} found; going on '
        f'with {found}',
        logger='current',
        level=logging.WARNING,
    )


@TRANSFORMS.register_module()
class DecodeClip(BaseTransform):
    """Decode the sampled frames, each distinct one once.

    Reads ``frame_source`` and ``frame_indices`` (T,). Writes ``frames``
    (T, H, W, 3) uint8 BGR.

    Raises:
        FrameReadError: Naming clip and file, if a frame is missing, damaged or of
            another size than the first.
    """

    def transform(self, results: dict) -> dict:
        source = results.pop('frame_source')
        try:
            frames: np.ndarray = source.read(results['frame_indices'])
        except FrameReadError as error:
            raise FrameReadError(f'clip {results["clip_id"]}: {error}') from error
        results['frames'] = frames
        return results
