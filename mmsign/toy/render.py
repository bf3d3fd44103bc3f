"""Draw the frames of a clip.

Symbols: T frames, [w, h] frame size in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .difficulty import Difficulty
from .estimator import estimate
from .motion import sign_sentence
from .signers import Colour, Signer
from .skeleton import (
    HEAD_RADII,
    LEFT_SIDE,
    OUTER_LIPS,
    RIGHT_SIDE,
    Pose,
    pose_of,
)

# OpenCV takes fractions of a pixel as integers.
_SHIFT = 4
_ONE = 1 << _SHIFT


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * _ONE).astype(np.int32)


def _shade(colour: Colour, factor: float) -> Colour:
    return tuple(min(255.0, factor * c) for c in colour)


def _mix(a: Colour, b: Colour, weight: float) -> Colour:
    return tuple((1 - weight) * x + weight * y for x, y in zip(a, b))


class _Canvas:
    """A frame in the making; coordinates are pixels of the finished frame.

    Small frames are drawn larger and reduced, because OpenCV's smoothed lines are
    too coarse for hands of ten pixels.
    """

    def __init__(self, background: np.ndarray, zoom: int) -> None:
        self.image = background.copy()
        self.zoom = zoom

    def _points(self, points: np.ndarray) -> np.ndarray:
        # The centre of pixel (0, 0) stays the centre of the pixels that make it up.
        return _fixed(np.asarray(points) * self.zoom + (self.zoom - 1) / 2)

    def _width(self, width: float) -> int:
        return max(1, round(width * self.zoom))

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.image, [self._points(points)], colour, cv2.LINE_AA, _SHIFT)

    def lines(
        self,
        paths: Sequence[np.ndarray],
        colour: Colour,
        width: float,
        closed: bool = False,
    ) -> None:
        cv2.polylines(
            self.image,
            [self._points(path) for path in paths],
            closed,
            colour,
            self._width(width),
            cv2.LINE_AA,
            _SHIFT,
        )

    def ellipse(
        self, centre: np.ndarray, radii: tuple[float, float], colour: Colour
    ) -> None:
        cv2.ellipse(
            self.image,
            tuple(int(v) for v in self._points(centre)),
            tuple(int(v) for v in _fixed(np.asarray(radii) * self.zoom)),
            0,
            0,
            360,
            colour,
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )

    def finish(self, size: tuple[int, int]) -> np.ndarray:
        if self.zoom == 1:
            return self.image
        return cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)


def _background(signer: Signer, size: tuple[int, int], light: float) -> np.ndarray:
    """Darker towards the bottom; (h, w, 3) uint8."""
    width, height = size
    fall = np.linspace(1.06, 0.88, height)[:, None, None] * light
    row = np.minimum(fall * np.asarray(signer.background), 255.0)
    return np.ascontiguousarray(np.broadcast_to(row, (height, width, 3)), np.uint8)


def _draw_body(canvas: _Canvas, points: np.ndarray, unit: float, look: Signer) -> None:
    left, right = points[LEFT_SIDE['shoulder']], points[RIGHT_SIDE['shoulder']]
    neck = (left + right) / 2
    hip_left, hip_right = points[11], points[12]
    skin = _shade(look.skin, 0.85)
    canvas.lines([np.stack([neck + (0, -0.25 * unit), neck])], skin, 0.2 * unit)
    canvas.lines([np.stack([left, right])], look.clothes, 0.2 * unit)
    torso = np.stack([right, left, hip_left, hip_right])
    canvas.polygon(torso, look.clothes)
    collar = neck + np.array([[-0.12, -0.1], [0.12, -0.1], [0.0, 0.12]]) * unit
    canvas.polygon(collar, skin)


def _draw_head(canvas: _Canvas, points: np.ndarray, unit: float, look: Signer) -> None:
    ears = points[3], points[4]
    middle = (ears[0] + ears[1]) / 2
    rx, ry = (radius * unit * look.head for radius in HEAD_RADII)
    crown = middle + np.array([0.0, -0.12 * ry])
    canvas.ellipse(crown, (1.12 * rx, 1.0 * ry), look.hair)
    fall = (0.3 + 0.7 * look.hair_length) * ry
    for side in (-1.0, 1.0):
        strand = np.array([[1.02 * rx * side, 0.0], [1.02 * rx * side, fall]])
        canvas.lines([middle + strand], look.hair, 0.16 * rx)
    canvas.ellipse(middle + np.array([0.0, 0.08 * ry]), (rx, 0.92 * ry), look.skin)
    fringe = middle + np.array([0.0, -0.72 * ry])
    canvas.ellipse(fringe, (0.78 * rx, 0.26 * ry), look.hair)
    dark = _shade(look.skin, 0.35)
    for eye in (points[1], points[2]):
        canvas.ellipse(eye, (0.045 * unit, 0.03 * unit), dark)
    canvas.lines([points[50:54]], _shade(look.skin, 0.8), 0.03 * unit)
    # All that the pixels tell of the mouth is its faint outline.
    lips = points[OUTER_LIPS]
    canvas.lines([lips], _shade(look.skin, 0.93), 0.0, closed=True)


def _draw_arm(
    canvas: _Canvas,
    points: np.ndarray,
    side: dict[str, int],
    unit: float,
    look: Signer,
) -> None:
    shoulder, elbow, wrist = (points[side[n]] for n in ('shoulder', 'elbow', 'wrist'))
    arm = np.stack([shoulder, elbow, wrist])
    cuff = elbow + max(0.0, 2 * look.sleeve - 1) * (wrist - elbow)
    sleeve = np.stack([shoulder, elbow, cuff])
    canvas.lines([arm], _shade(look.skin, 0.9), 0.13 * unit)
    canvas.lines([sleeve], _shade(look.clothes, 0.55), 0.22 * unit)
    canvas.lines([sleeve], _shade(look.clothes, 0.85), 0.17 * unit)


def _draw_hand(
    canvas: _Canvas, hand: np.ndarray, palm: float, unit: float, look: Signer
) -> None:
    """Draw the (21, 2) points of a hand, coloured by the side that is seen."""
    colour = _mix(look.back, look.palm, (palm + 1) / 2)
    outline = _shade(colour, 0.45)
    fingers = [hand[1 + 4 * i : 5 + 4 * i] for i in range(5)]
    thumb_root = (hand[0] + hand[1]) / 2
    edge = np.stack([hand[0], thumb_root, *(hand[5 + 4 * i] for i in range(4))])
    thick = 0.062 * unit * look.hand
    canvas.lines([edge], outline, thick + 0.05 * unit, closed=True)
    canvas.lines(fingers, outline, thick + 0.035 * unit)
    canvas.polygon(edge, colour)
    canvas.lines([edge], colour, thick, closed=True)
    canvas.lines(fingers, colour, thick)


def draw_pose(
    pose: Pose, signer: Signer, size: tuple[int, int], light: float = 1.0
) -> np.ndarray:
    """Draw every frame of a clip.

    Args:
        pose: Where everything is.
        signer: Gives the colours.
        size: [w, h] of the frames in pixels.
        light: Brightness, 1 on average.

    Returns:
        (T, h, w, 3) uint8, BGR.
    """
    zoom = 2 if size[0] < 160 else 1
    look = _lit(signer, light)
    background = _background(signer, (size[0] * zoom, size[1] * zoom), light)
    weak, strong = (LEFT_SIDE, pose.left_palm), (RIGHT_SIDE, pose.right_palm)
    if signer.left_handed:
        weak, strong = strong, weak
    frames = np.empty((len(pose.points), size[1], size[0], 3), np.uint8)
    for index, points in enumerate(pose.points):
        canvas = _Canvas(background, zoom)
        _draw_body(canvas, points, pose.unit, look)
        _draw_head(canvas, points, pose.unit, look)
        for side, _ in (weak, strong):
            _draw_arm(canvas, points, side, pose.unit, look)
        for side, palm in (weak, strong):
            hand = points[side['hand'] : side['hand'] + 21]
            _draw_hand(canvas, hand, float(palm[index]), pose.unit, look)
        frames[index] = canvas.finish(size)
    return frames


def _lit(signer: Signer, light: float) -> Signer:
    from dataclasses import replace

    return replace(
        signer,
        skin=_shade(signer.skin, light),
        clothes=_shade(signer.clothes, light),
        hair=_shade(signer.hair, light),
    )


def render_sentence(
    glosses: Sequence[str],
    signer: Signer,
    size: tuple[int, int],
    rng: np.random.Generator,
    difficulty: Difficulty | None = None,
    max_frames: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a sentence of any glosses.

    Glosses of the toy lexicon have their sign there, all others one derived from
    the gloss itself, so that annotations of real corpora can be rendered too.

    Args:
        glosses: One or more.
        signer: Who signs.
        size: [w, h] of the frames in pixels.
        rng: Source of randomness.
        difficulty: How much signs vary and how badly keypoints are estimated.
        max_frames: Sign faster to stay below, as far as that is possible.

    Returns:
        Frames (T, h, w, 3) uint8 BGR, and keypoints (T, 133, 3) float32: x px,
        y px, score.

    Raises:
        ValueError: If there is no gloss, or one is not a word.
    """
    motion = sign_sentence(glosses, signer, rng, difficulty, max_frames)
    pose = pose_of(motion, signer, size)
    light = float(rng.uniform(0.9, 1.1))
    keypoints = estimate(pose, size, rng, difficulty)
    return draw_pose(pose, signer, size, light), keypoints
