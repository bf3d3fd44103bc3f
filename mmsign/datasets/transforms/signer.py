"""Take the signer out of a clip: where they stand, and how large they are.

Symbols: T frames after sampling, K = 79 keypoints (x, y in pixels of the source frame,
score).
"""

import itertools

import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.keypoints import CONFIDENT, SHOULDERS
from mmsign.notices import warn_once
from mmsign.registry import TRANSFORMS

_COUNT = itertools.count()


def shoulders(keypoints: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The middle of a clip's shoulders and how far they are apart, in pixels.

    Medians over the frames in which both were found with confidence, so that a few
    frames in which an estimator went astray change nothing.

    Args:
        keypoints: (T, K, 3).

    Returns:
        (x, y) and the distance; None if no frame has both, a pixel apart at least.

    Examples:
        >>> clip = np.zeros((5, 79, 3))
        >>> clip[1:4, SHOULDERS[0]] = 300, 200, 0.9
        >>> clip[1:4, SHOULDERS[1]] = 180, 200, 0.8
        >>> middle, width = shoulders(clip)
        >>> middle.tolist(), width
        ([240.0, 200.0], 120.0)
    """
    both = keypoints[:, list(SHOULDERS)].astype(np.float64)
    both = both[(both[..., 2] > CONFIDENT).all(1), :, :2]
    if not len(both):
        return None
    width = float(np.median(np.linalg.norm(both[:, 0] - both[:, 1], axis=1)))
    return (np.median(both.mean(1), axis=0), width) if width >= 1 else None


@TRANSFORMS.register_module()
class SignerCrop(BaseTransform):
    """A square about the signer, measured by the shoulders, one box per clip.

    Whoever signs then stands in the same place and is as large as anybody else, in
    frames and keypoints alike. The box may reach beyond the frame. Where no frame
    shows both shoulders, or they are further apart than the frame is large, it is the
    smallest square about the whole frame; a notice names the first such clip.

    Reads ``keypoints`` (T, K, 3) and ``frame_size``; writes ``crop_box``.

    Args:
        size: Side of the box in widths of the shoulders. 4 holds arms that are
            stretched out to the side, bent a little.
        below: How far its middle lies below the shoulders, in the same unit.

    Raises:
        ConfigError: If the pipeline loads no keypoints.
    """

    def __init__(self, size: float = 4.0, below: float = 0.25) -> None:
        if size <= 0:
            raise ConfigError(f'SignerCrop: size must be positive, not {size}')
        self.size, self.below = size, below
        # The same in workers that are forked later.
        self._subject = f'SignerCrop {next(_COUNT)}'

    def transform(self, results: dict) -> dict:
        if 'keypoints' not in results:
            raise ConfigError(
                'SignerCrop finds the signer by the keypoints: let LoadClip load them'
            )
        found, size = shoulders(results['keypoints']), results['frame_size']
        if found is None or found[1] > max(size):
            self._warn(results['clip_id'])
            middle, side = np.array(size) / 2, max(size)
        else:
            middle, width = found
            middle = middle + (0, self.below * width)
            side = max(1, round(self.size * width))
        x0, y0 = np.rint(middle - side / 2)
        results['crop_box'] = (float(x0), float(y0), float(side), float(side))
        return results

    def _warn(self, clip_id: str) -> None:
        warn_once(
            f'clip {clip_id}: no frame shows both shoulders, or they are further '
            'apart than the frame is large; SignerCrop finds the signer by them, and '
            'takes the whole frame, also of other such clips, which are not named. For '
            'tracks of hands and nose alone there is configs/keypoint_slr_tracks.py',
            subject=self._subject,
        )
