"""Crop and resize the frames of a clip."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Cut the crop box out of the frames and resize it to a square.

    Bilinear, antialiased where it shrinks: what Pillow does, and so what the
    published weights were trained on. Pixel (i, j) of the result looks at
    x = (j + ½)·width/size − ½ + x0 of the source and likewise at y, which is where
    the heatmaps are drawn.

    The box is in pixels of the source. Frames that were packed smaller are cut at
    the pixel nearest to it, at most half a pixel beside.

    Reads ``frames`` (T, H, W, 3) uint8, ``crop_box`` and ``frame_size``. Writes
    ``frames`` (T, size, size, 3) uint8.

    Args:
        size: Side in pixels.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ConfigError(f'ClipResize: size must be positive, not {size}')
        self.size = size

    def transform(self, results: dict) -> dict:
        frames = results['frames']
        x0, y0, width, height = results['crop_box']
        source_w, source_h = results['frame_size']
        columns = _span(x0, width, frames.shape[2] / source_w)
        rows = _span(y0, height, frames.shape[1] / source_h)
        frames = frames[:, rows, columns]
        # A channels-last view: torch has a fast path for uint8 images like this.
        images = torch.from_numpy(frames).permute(0, 3, 1, 2)
        images = F.interpolate(
            images, size=(self.size, self.size), mode='bilinear', antialias=True
        )
        results['frames'] = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        return results


def _span(start: float, length: float, scale: float) -> slice:
    """Whole pixels of a range of source pixels; at least one."""
    first = round(start * scale)
    return slice(first, max(first + 1, round((start + length) * scale)))
