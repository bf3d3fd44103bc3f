"""Draw the frames of a clip.

Symbols: T frames, [w, h] frame size in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .lexicon import LEXICON, Sign
from .motion import sign_sentence
from .signers import Colour, Signer
from .skeleton import HEAD_RADII, OUTER_LIPS, SIDES, Pose, estimate, pose_of

# OpenCV takes fractions of a pixel as integers.
_SHIFT = 4


def _shade(colour: Colour, factor: float) -> Colour:
    return tuple(min(255.0, factor * c) for c in colour)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint(points * (1 << _SHIFT)).astype(np.int32)


def _placed(points: np.ndarray | Sequence[np.ndarray], zoom: int) -> np.ndarray:
    """Points of a frame, drawn ``zoom`` times as large, as OpenCV takes them."""
    # The centre of pixel (0, 0) stays the centre of the pixels that make it up.
    return _fixed(np.asarray(points) * zoom + (zoom - 1) / 2)


@dataclass(frozen=True)
class _Canvas:
    """A frame in the making.

    Lengths and points are in pixels of the finished frame, spots are points as OpenCV
    takes them. Small frames are drawn larger and reduced, because OpenCV's smoothed
    lines are too coarse for hands of ten pixels.

    Args:
        image: (zoom · h, zoom · w, 3); drawn into.
        zoom: How much larger it is.
        points: (133, 2) of the signer.
        spots: (133, 2) int32, the same.
        unit: Shoulder width.
        look: Gives the colours.
    """

    image: np.ndarray
    zoom: int
    points: np.ndarray
    spots: np.ndarray
    unit: float
    look: Signer

    # Shapes ----------------------------------------------------------------------

    def polygon(self, spots: np.ndarray, colour: Colour) -> None:
        cv2.fillPoly(self.image, [spots], colour, cv2.LINE_AA, _SHIFT)

    def lines(
        self, paths: Sequence, colour: Colour, width: float, closed: bool = False
    ) -> None:
        style = colour, max(1, round(width * self.zoom)), cv2.LINE_AA, _SHIFT
        cv2.polylines(self.image, paths, closed, *style)

    def ellipse(
        self, centre: np.ndarray, radii: tuple[float, float], colour: Colour
    ) -> None:
        middle = _placed(centre, self.zoom).tolist()
        axes = _fixed(np.asarray(radii) * self.zoom).tolist()
        style = 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT
        cv2.ellipse(self.image, middle, axes, *style)

    # Parts of the body -----------------------------------------------------------

    def body(self) -> None:
        unit, clothes = self.unit, self.look.clothes
        left, right = self.points[5], self.points[6]
        neck, skin = (left + right) / 2, _shade(self.look.skin, 0.85)
        throat = _placed([neck + (0, -0.25 * unit), neck], self.zoom)
        self.lines([throat], skin, 0.2 * unit)
        self.lines([self.spots[[5, 6]]], clothes, 0.2 * unit)
        self.polygon(self.spots[[6, 5, 11, 12]], clothes)
        collar = np.array([[-0.12, -0.1], [0.12, -0.1], [0.0, 0.12]])
        self.polygon(_placed(neck + collar * unit, self.zoom), skin)

    def head(self) -> None:
        points, unit, look = self.points, self.unit, self.look
        middle = (points[3] + points[4]) / 2
        rx, ry = (radius * unit * look.head for radius in HEAD_RADII)
        self.ellipse(middle + (0.0, -0.12 * ry), (1.12 * rx, 1.0 * ry), look.hair)
        fall = (0.3 + 0.7 * look.hair_length) * ry
        for side in (-1.0, 1.0):
            strand = np.array([[1.02 * rx * side, 0.0], [1.02 * rx * side, fall]])
            self.lines([_placed(middle + strand, self.zoom)], look.hair, 0.16 * rx)
        self.ellipse(middle + (0.0, 0.08 * ry), (rx, 0.92 * ry), look.skin)
        self.ellipse(middle + (0.0, -0.72 * ry), (0.78 * rx, 0.26 * ry), look.hair)
        for eye in (points[1], points[2]):
            self.ellipse(eye, (0.045 * unit, 0.03 * unit), _shade(look.skin, 0.35))
        self.lines([self.spots[50:54]], _shade(look.skin, 0.8), 0.03 * unit)
        # All that the pixels tell of the mouth is its faint outline.
        lips = self.spots[OUTER_LIPS]
        self.lines([lips], _shade(look.skin, 0.93), 0.0, closed=True)

    def arm(self, side: dict) -> None:
        unit, look = self.unit, self.look
        joints = [side[name] for name in ('shoulder', 'elbow', 'wrist')]
        shoulder, elbow, wrist = self.points[joints]
        cuff = elbow + max(0.0, 2 * look.sleeve - 1) * (wrist - elbow)
        sleeve = [_placed([shoulder, elbow, cuff], self.zoom)]
        self.lines([self.spots[joints]], _shade(look.skin, 0.9), 0.13 * unit)
        self.lines(sleeve, _shade(look.clothes, 0.55), 0.22 * unit)
        self.lines(sleeve, _shade(look.clothes, 0.85), 0.17 * unit)

    def hand(self, side: dict, palm: float) -> None:
        """Coloured by the side that is seen."""
        hand, spots = self.points[side['hand']], self.spots[side['hand']]
        unit = self.unit
        weight, sides = (palm + 1) / 2, zip(self.look.back, self.look.palm)
        colour = tuple((1 - weight) * back + weight * front for back, front in sides)
        outline = _shade(colour, 0.45)
        fingers = [spots[1 + 4 * i : 5 + 4 * i] for i in range(5)]
        edge = [hand[0], (hand[0] + hand[1]) / 2, *hand[5:21:4]]
        edge = _placed(edge, self.zoom)
        thick = 0.062 * unit * self.look.hand
        self.lines([edge], outline, thick + 0.05 * unit, closed=True)
        self.lines(fingers, outline, thick + 0.035 * unit)
        self.polygon(edge, colour)
        self.lines([edge], colour, thick, closed=True)
        self.lines(fingers, colour, thick)


def draw_pose(pose: Pose, size: tuple[int, int], light: float = 1.0) -> np.ndarray:
    """Draw every frame of a clip.

    Args:
        pose: Where everything is; the signer gives the colours.
        size: [w, h] of the frames in pixels.
        light: Brightness, 1 on average.

    Returns:
        (T, h, w, 3) uint8, BGR.
    """
    signer, zoom = pose.signer, 2 if size[0] < 160 else 1
    lit = ('skin', 'clothes', 'hair')
    look = replace(signer, **{n: _shade(getattr(signer, n), light) for n in lit})
    # The background is darker towards the bottom.
    fall = np.linspace(1.06, 0.88, size[1] * zoom)[:, None, None] * light
    row = np.minimum(fall * np.asarray(signer.background), 255.0)
    background = np.repeat(row.astype(np.uint8), size[0] * zoom, axis=1)
    # The weak hand is behind the strong one.
    hands = list(zip(SIDES, pose.palms))[:: -1 if signer.left_handed else 1]
    frames = np.empty((len(pose.points), size[1], size[0], 3), np.uint8)
    for index, both in enumerate(zip(pose.points, _placed(pose.points, zoom))):
        canvas = _Canvas(background.copy(), zoom, *both, pose.unit, look)
        canvas.body()
        canvas.head()
        for side, _ in hands:
            canvas.arm(side)
        for side, palm in hands:
            canvas.hand(side, float(palm[index]))
        # Of the same size already, it is copied.
        frames[index] = cv2.resize(canvas.image, size, interpolation=cv2.INTER_AREA)
    return frames


def render_sentence(
    glosses: Sequence[str],
    signer: Signer,
    size: tuple[int, int],
    rng: np.random.Generator,
    max_frames: int | None = None,
    lexicon: Mapping[str, Sign] = LEXICON,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a sentence of any glosses.

    Glosses of the lexicon have their sign there, all others one derived from
    the gloss itself, so that annotations of real corpora can be rendered too.

    Args:
        glosses: One or more.
        signer: Who signs; the difficulty says how much signs vary and how badly
            keypoints are estimated.
        size: [w, h] of the frames in pixels.
        rng: Source of randomness.
        max_frames: Sign faster to stay below, as far as that is possible.
        lexicon: Sign of each gloss.

    Returns:
        Frames (T, h, w, 3) uint8 BGR, and keypoints (T, 133, 3) float32: x px,
        y px, score.

    Raises:
        ConfigError: If there is no gloss, or one is not a word.
    """
    motion = sign_sentence(glosses, signer, rng, max_frames, lexicon)
    pose = pose_of(motion, signer, size)
    light = float(rng.uniform(0.9, 1.1))
    keypoints = estimate(pose, size, rng)
    return draw_pose(pose, size, light), keypoints
