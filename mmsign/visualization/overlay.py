"""What the network sees of a clip: frames, skeleton, summed heatmaps.

Symbols: S side of a frame in pixels, K keypoints, s side of a heatmap,
(x0, y0, bw, bh) crop box in pixels of the source frame. Images are uint8 BGR.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmsign.keypoints import PARTS, SKELETON

# BGR, one colour per part: distinct in hue and in lightness.
PART_COLOURS = {
    'face': (60, 200, 255),
    'hands': (80, 230, 80),
    'mouth': (200, 80, 255),
    'upper_body': (255, 150, 50),
}


def crop_coordinates(
    keypoints: np.ndarray, crop_box: Sequence[float], size: int
) -> np.ndarray:
    """Map (…, K, ≥2) source pixels to pixels of the resized crop, (…, K, 2).

    The inverse of the half-pixel mapping that frames and heatmaps go through:
    (x + ½ − x0)·size/bw − ½.
    """
    origin, extent = np.asarray(crop_box[:2]), np.asarray(crop_box[2:])
    return (keypoints[..., :2] + 0.5 - origin) * (size / extent) - 0.5


def draw_skeleton(
    image: np.ndarray, points: np.ndarray, scores: np.ndarray | None = None
) -> np.ndarray:
    """Draw the keypoints and the edges between them.

    Args:
        image: (H, W, 3) uint8 BGR; not changed.
        points: (K, 2) in pixels of the image; the first K of the 79, or none.
        scores: (K,); points and edges fade with them.

    Returns:
        A new image.
    """
    canvas = image.copy()
    sharp = 4  # fractional bits of cv2's sub-pixel coordinates
    fixed = np.round(points * 2**sharp).astype(int)
    radius = max(1.0, min(image.shape[:2]) / 160)
    confidence = np.ones(len(points)) if scores is None else np.clip(scores, 0.15, 1)

    def shade(colour: Sequence[int], weight: float) -> tuple[float, ...]:
        return tuple(float(weight * c) for c in colour)

    colour_of = {}
    for part, members in PARTS.items():
        for index in range(*members.indices(len(points))):
            colour_of[index] = PART_COLOURS[part]
    for a, b in SKELETON:
        if max(a, b) >= len(points):
            continue
        weight = min(confidence[a], confidence[b])
        ends = tuple(map(int, fixed[a])), tuple(map(int, fixed[b]))
        cv2.line(canvas, *ends, shade(colour_of[a], weight), 1, cv2.LINE_AA, sharp)
    for index, point in enumerate(fixed):
        centre = tuple(map(int, point))
        colour = shade(colour_of[index], confidence[index])
        extent = int(radius * 2**sharp)
        cv2.circle(canvas, centre, extent, colour, -1, cv2.LINE_AA, sharp)
    return canvas


def blend_heatmaps(image: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Lay the sum of the heatmaps over an image.

    Args:
        image: (S, S, 3) uint8 BGR.
        heatmaps: (K, s, s) as the network sees them, in whatever range.

    Returns:
        (S, S, 3) uint8 BGR, the sum as colour, from its smallest value to its largest.
    """
    heat = heatmaps.sum(0).astype(np.float32)
    heat -= heat.min()
    heat /= max(1.0, heat.max())
    heat = cv2.resize(heat, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    colour = cv2.applyColorMap(np.uint8(255 * heat), cv2.COLORMAP_INFERNO)
    weight = (0.75 * heat)[..., None]
    return np.uint8((1 - weight) * image + weight * colour)


def clip_sheet(
    frames: np.ndarray,
    heatmaps: np.ndarray,
    keypoints: np.ndarray,
    crop_box: Sequence[float],
    columns: int = 8,
    side: int = 224,
) -> np.ndarray:
    """Two rows of evenly spaced frames: with skeleton, with heatmaps.

    Args:
        frames: (T, S, S, 3) uint8 BGR after crop and resize.
        heatmaps: (K, T, s, s), in whatever range.
        keypoints: (T, K, 3) in source pixels.
        crop_box: Of the clip.
        columns: Frames shown.
        side: Of each shown frame in pixels.

    Returns:
        (2·side, columns·side, 3) uint8 BGR.
    """
    shown = np.linspace(0, len(frames) - 1, min(columns, len(frames))).round()
    top, bottom = [], []
    for index in shown.astype(int):
        frame = cv2.resize(frames[index], (side, side), interpolation=cv2.INTER_LINEAR)
        points = crop_coordinates(keypoints[index], crop_box, side)
        top.append(draw_skeleton(frame, points, keypoints[index, :, 2]))
        bottom.append(blend_heatmaps(frame, heatmaps[:, index]))
    return np.vstack([np.hstack(top), np.hstack(bottom)])
