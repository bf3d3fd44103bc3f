"""Sampling in time: docs/method.md#sampling-cropping-and-padding.

Symbols: N frames of the source, T frames after sampling, L length drawn.
"""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SampleClip(BaseTransform):
    """Choose the frames of a clip.

    Training changes the speed: L is uniform in [⌊a·N⌋, min(max_length, ⌊b·N⌋)] for
    ``scale`` (a, b), rounded up to a multiple of ``stride``. If L ≤ N, L distinct
    frames are drawn, else all N and L − N repeats of them; always in order.
    Testing takes at most max_length frames from the middle, then drops the last
    few so that a multiple of ``stride`` remains.
    A clip of fewer than ``stride`` frames is padded by repeating its last.

    Reads ``num_frames`` and, if there, ``keypoints`` (N, K, 3). Writes
    ``frame_indices`` (T,) int64, sorted, and ``keypoints`` (T, K, 3).

    Args:
        scale: Range of speeds (a, b); L is a to b times N.
        max_length: Largest T, in frames; a multiple of stride.
        stride: T is a multiple of it: the temporal stride of the network.
        test: Whether to take the clip as it is.

    Examples:
        >>> SampleClip(test=True).transform(dict(num_frames=10))['frame_indices']
        array([0, 1, 2, 3, 4, 5, 6, 7])
        >>> SampleClip(test=True).transform(dict(num_frames=3))['frame_indices']
        array([0, 1, 2, 2])
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.5, 1.5),
        max_length: int = 400,
        stride: int = 4,
        test: bool = False,
    ) -> None:
        if not 0 < scale[0] <= scale[1]:
            raise ConfigError(f'SampleClip: scale must be 0 < a <= b, not {scale}')
        if stride < 1 or max_length < stride or max_length % stride:
            raise ConfigError(
                'SampleClip: max_length must be a positive multiple of stride, '
                f'not {max_length} with stride {stride}'
            )
        self.scale = scale
        self.max_length = max_length
        self.stride = stride
        self.test = test

    def transform(self, results: dict) -> dict:
        num_frames = results['num_frames']
        if num_frames < 1:
            raise ConfigError(f'clip {results["clip_id"]} has no frames')
        if num_frames < self.stride:
            indices = np.minimum(np.arange(self.stride), num_frames - 1)
        elif self.test:
            indices = self._middle(num_frames)
        else:
            indices = self._draw(num_frames)
        results['frame_indices'] = indices.astype(np.int64)
        if 'keypoints' in results:
            results['keypoints'] = results['keypoints'][indices]
        return results

    def _middle(self, num_frames: int) -> np.ndarray:
        length = min(num_frames, self.max_length)
        start = (num_frames - length) // 2
        return np.arange(start, start + length - length % self.stride)

    def _draw(self, num_frames: int) -> np.ndarray:
        longest = max(1, min(self.max_length, int(self.scale[1] * num_frames)))
        shortest = min(max(1, int(self.scale[0] * num_frames)), longest)
        length = np.random.randint(shortest, longest + 1)
        length += -length % self.stride
        if length <= num_frames:
            return np.sort(np.random.permutation(num_frames)[:length])
        repeats = np.random.randint(0, num_frames, length - num_frames)
        return np.sort(np.concatenate([np.arange(num_frames), repeats]))
