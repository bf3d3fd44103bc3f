"""Decide which part of a clip's frames to look at: one box per clip.

The box is ``(x0, y0, width, height)`` in pixels of the source frame, whole numbers
written as floats: pixel x0 is the first inside. Frames are cropped when they are
resized, keypoints when their heatmaps are drawn. ``SignerCrop`` has a file of its own.
"""

import math

import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS

_TRIES = 10


@TRANSFORMS.register_module()
class ClipRandomCrop(BaseTransform):
    """A box of random size, shape and place, the usual random resized crop.

    Reads ``frame_size``, writes ``crop_box``.

    Args:
        area: Range of the box's share of the frame's area.
        aspect: Range of its width over its height, uniform in the logarithm. A
            frame into which no drawn shape fits is cropped centrally, as
            little as the range allows.
    """

    def __init__(
        self,
        area: tuple[float, float] = (0.7, 1.0),
        aspect: tuple[float, float] = (0.75, 1.3),
    ) -> None:
        if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1]):
            raise ConfigError(
                'ClipRandomCrop: area and aspect are ranges 0 < a <= b, of an area at '
                f'most 1, not {area} and {aspect}'
            )
        self.area, self.aspect = area, aspect

    def transform(self, results: dict) -> dict:
        frame_w, frame_h = results['frame_size']
        for _ in range(_TRIES):
            area = np.random.uniform(*self.area) * frame_w * frame_h
            aspect = math.exp(np.random.uniform(*np.log(self.aspect)))
            width = round(math.sqrt(area * aspect))
            height = round(math.sqrt(area / aspect))
            if 0 < width <= frame_w and 0 < height <= frame_h:
                x0 = np.random.randint(frame_w - width + 1)
                y0 = np.random.randint(frame_h - height + 1)
                results['crop_box'] = tuple(map(float, (x0, y0, width, height)))
                return results
        aspect = min(max(frame_w / frame_h, self.aspect[0]), self.aspect[1])
        width = max(1, min(frame_w, round(frame_h * aspect)))
        height = max(1, min(frame_h, round(frame_w / aspect)))
        return _central(results, width, height)


@TRANSFORMS.register_module()
class ClipCenterCrop(BaseTransform):
    """The box in the middle, of the frame's own shape.

    Reads ``frame_size``, writes ``crop_box``.

    Args:
        fraction: Of the frame's sides that remains; 1 is the whole frame. Frames
            made for a crop of 270 out of 320 pixels take 270/320 whatever their
            size on disk.

    Examples:
        >>> crop = ClipCenterCrop(fraction=270 / 320)
        >>> crop.transform(dict(frame_size=(512, 512)))['crop_box']
        (40.0, 40.0, 432.0, 432.0)
    """

    def __init__(self, fraction: float = 1.0) -> None:
        if not 0 < fraction <= 1:
            raise ConfigError(f'ClipCenterCrop: fraction {fraction} is not in (0, 1]')
        self.fraction = fraction

    def transform(self, results: dict) -> dict:
        sides = (max(1, round(self.fraction * s)) for s in results['frame_size'])
        return _central(results, *sides)


@TRANSFORMS.register_module()
class ClipFixedCrop(ClipCenterCrop):
    """A box as large as that of ``ClipCenterCrop``, anywhere in the frame.

    Reads ``frame_size``, writes ``crop_box``. Crops of 224 pixels out of frames that
    were made 256 wide and high are a fraction of 224/256.

    Args:
        fraction: Of the frame's sides that remains.
    """

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        width, height = results['crop_box'][2:]
        frame_w, frame_h = results['frame_size']
        x0 = np.random.randint(frame_w - int(width) + 1)
        y0 = np.random.randint(frame_h - int(height) + 1)
        results['crop_box'] = (float(x0), float(y0), width, height)
        return results


def _central(results: dict, width: int, height: int) -> dict:
    frame_w, frame_h = results['frame_size']
    x0, y0 = (frame_w - width) // 2, (frame_h - height) // 2
    results['crop_box'] = tuple(map(float, (x0, y0, width, height)))
    return results
