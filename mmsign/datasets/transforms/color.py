"""Change the colours of a clip.

Symbols: T frames, S side of a frame in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.registry import TRANSFORMS

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
        if not 0 <= prob <= 1:
            raise ConfigError(f'ClipColorJitter: prob must be in [0, 1], not {prob}')
        if min(brightness, contrast, saturation) < 0:
            raise ConfigError(
                'ClipColorJitter: brightness, contrast and saturation must not be '
                f'negative: {brightness}, {contrast}, {saturation}'
            )
        if not 0 <= hue <= 0.5:
            raise ConfigError(f'ClipColorJitter: hue must be in [0, 0.5], not {hue}')
        self.prob = prob
        self.ranges = {
            adjust_brightness: (max(0.0, 1 - brightness), 1 + brightness),
            adjust_contrast: (max(0.0, 1 - contrast), 1 + contrast),
            adjust_saturation: (max(0.0, 1 - saturation), 1 + saturation),
            adjust_hue: (-hue, hue),
        }

    def transform(self, results: dict) -> dict:
        if np.random.uniform() >= self.prob:
            return results
        frames = results['frames']
        # One tall image: OpenCV then takes the clip in one call.
        image = frames.reshape(-1, frames.shape[2], 3)
        steps = list(self.ranges.items())
        for index in np.random.permutation(len(steps)):
            adjust, bounds = steps[index]
            image = adjust(image, np.random.uniform(*bounds))
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
