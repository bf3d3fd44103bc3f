"""Crop, resize and recolour the frames of a clip.

Symbols: T frames, H and W of one, S side of a resized one, in pixels.
"""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS

from ..io.images import resized


@TRANSFORMS.register_module()
class ClipResize(BaseTransform):
    """Cut the crop box out of the frames and resize it to a square.

    Bilinear, antialiased where it shrinks: what Pillow does, and so what the
    published weights were trained on. Pixel (i, j) of the result looks at
    x = (j + ½)·width/size − ½ + x0 of the source and likewise at y, which is where
    the heatmaps are drawn.

    The box is in pixels of the source; beyond the frame, its border is repeated. Frames
    that were packed smaller are cut at the pixel nearest to it, at most half a pixel
    beside.

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
        results['frames'] = self._cut(frames, rows, columns)
        return results

    def _cut(self, frames: np.ndarray, rows: range, columns: range) -> np.ndarray:
        size = self.size, self.size
        height, width = frames.shape[1:3]
        if min(rows.start, columns.start) >= 0 and (
            rows.stop <= height and columns.stop <= width
        ):
            inside = frames[:, rows.start : rows.stop, columns.start : columns.stop]
            return resized(inside, size)
        # One by one: a box may be many times as large as the frame.
        y, x = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
        parts = [resized(frame[y][:, x][None], size) for frame in frames]
        return np.concatenate(parts)


def _span(start: float, length: float, scale: float) -> range:
    """Whole pixels of a range of source pixels; at least one."""
    first = round(start * scale)
    return range(first, max(first + 1, round((start + length) * scale)))


# Share of blue, green and red in the brightness of a pixel (ITU-R BT.601).
_LUMA = np.array([0.114, 0.587, 0.299])


@TRANSFORMS.register_module()
class ClipColorJitter(BaseTransform):
    """With some probability, change brightness, contrast, saturation and hue.

    One draw per clip: all its frames change alike, in a random order of the four.
    Reads and writes ``frames`` (T, S, S, 3) uint8 BGR.

    Args:
        prob: Of changing a clip at all.
        brightness, contrast, saturation: A factor is drawn from
            [max(0, 1 − x), 1 + x]. Contrast is relative to the clip's mean grey.
        hue: Largest turn of the colour circle, at most 0.5 (half a turn).
    """

    def __init__(
        self,
        prob: float = 0.3,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.1,
    ) -> None:
        factors = (brightness, contrast, saturation)
        if not (0 <= prob <= 1 and 0 <= hue <= 0.5 and min(factors) >= 0):
            raise ConfigError(
                'ClipColorJitter: prob must be in [0, 1], hue in [0, 0.5] and the '
                f'others not negative: prob={prob}, hue={hue}, {factors}'
            )
        self.prob = prob
        adjust = (adjust_brightness, adjust_contrast, adjust_saturation)
        self.steps = [(f, max(0.0, 1 - x), 1 + x) for f, x in zip(adjust, factors)]
        self.steps.append((adjust_hue, -hue, hue))

    def transform(self, results: dict) -> dict:
        if np.random.uniform() >= self.prob:
            return results
        frames = results['frames']
        # One tall image: OpenCV then takes the clip in one call.
        image = frames.reshape(-1, frames.shape[2], 3)
        for index in np.random.permutation(len(self.steps)):
            adjust, least, most = self.steps[index]
            image = adjust(image, np.random.uniform(least, most))
        results['frames'] = image.reshape(frames.shape)
        return results


def adjust_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply every value of an (H, W, 3) uint8 image by a factor."""
    return _look_up(image, np.arange(256) * factor)


def adjust_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply the distance of every value from the image's mean grey."""
    grey = float(np.dot(cv2.mean(image)[:3], _LUMA))
    return _look_up(image, (np.arange(256) - grey) * factor + grey)


def adjust_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply the distance of every pixel from its own grey."""
    matrix = factor * np.eye(3) + (1 - factor) * _LUMA  # every row adds the grey
    return cv2.transform(image, matrix)


def adjust_hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Turn the hue of every pixel; a turn of 1 leads back to the start."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
    # 256 steps are a full circle, and uint8 wraps around by itself.
    hsv[..., 0] += np.uint8(round(turn * 256) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)


def _look_up(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    return cv2.LUT(image, np.clip(np.rint(table), 0, 255).astype(np.uint8))
