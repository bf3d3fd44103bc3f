"""The signs of the toy language.

Symbols: P waypoints of a path.

Each hand has its own frame of reference, seen from the camera: x grows outwards
on the hand's own side, y grows downwards, the origin lies midway between the
shoulders and the unit is the shoulder width. So a symmetric sign has the same
numbers for both hands, and a left-handed signer mirrors it without any change.

Most signs of the lexicon differ plainly in path and hand shape. Two kinds of pairs do
not, so that neither stream can do without the other:

* ``PIXEL_PAIRS`` differ only in the side of the hand that the camera sees, which
  shading and colour tell. Their keypoints come from the same generator.
* ``MOUTH_PAIRS`` differ only in the mouth and the face around it, which keypoints
  give precisely while the frames show no more of it than a faint thin line.

No sign is the mirror image of another, so left-handed signers stay unambiguous.
"""

import hashlib
import math
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from mmsign.errors import ConfigError

SHAPES: dict[str, tuple[float, float, float, float, float]] = {
    'flat': (1.0, 1.0, 1.0, 1.0, 1.0),
    'fist': (0.3, 0.0, 0.0, 0.0, 0.0),
    'index': (0.2, 1.0, 0.0, 0.0, 0.0),
    'two': (0.2, 1.0, 1.0, 0.0, 0.0),
    'angle': (1.0, 1.0, 0.0, 0.0, 0.0),
    'horns': (1.0, 0.0, 0.0, 0.0, 1.0),
    'claw': (0.7, 0.6, 0.6, 0.6, 0.6),
}
"""Extension of thumb, index, middle, ring and little finger, 0 (curled) to 1."""

PALM, EDGE, BACK = 1.0, 0.0, -1.0
"""Which side of the hand the camera sees."""

OUT, UP, IN, DOWN = 0.0, 90.0, 180.0, -90.0
"""Where the fingers point, in degrees."""


class Hand(NamedTuple):
    """What one hand does during a sign.

    Args:
        path: P ≥ 1 points (x, y) in shoulder widths, passed smoothly.
        shape: Keys of ``SHAPES`` at the beginning and at the end.
        angle: Direction of the fingers in degrees, at the beginning and at the end.
        palm: Side that the camera sees, -1 (back) to 1 (palm).
    """

    path: tuple[tuple[float, float], ...]
    shape: tuple[str, str] = ('flat', 'flat')
    angle: tuple[float, float] = (UP, UP)
    palm: float = EDGE


class Mouth(NamedTuple):
    """A mouth shape: 0 to 1 each, from closed to open and from narrow to wide."""

    opening: float = 0.15
    width: float = 0.45


class Sign(NamedTuple):
    """One sign.

    Args:
        strong: The hand that leads: the right one of most signers.
        weak: The other hand; ``None`` leaves it at rest.
        mouth: Held throughout the sign.
    """

    strong: Hand
    weak: Hand | None = None
    mouth: Mouth = Mouth()


REST_HAND = Hand(path=((0.3, 1.2),), shape=('claw', 'claw'), angle=(160.0, 160.0))
"""Where the hands are before and after a sentence."""


OPEN = Mouth(opening=1.0, width=0.1)
SPREAD = Mouth(opening=0.0, width=1.0)


def _circle(x: float, y: float, radius: float) -> tuple[tuple[float, float], ...]:
    """One turn in seven points, beginning at the top and going outwards."""
    turns = (2 * math.pi * i / 6 for i in range(7))
    return tuple((x + radius * math.sin(a), y - radius * math.cos(a)) for a in turns)


def _one(path, shape, angle=(UP, UP), palm=PALM) -> Sign:
    shape = (shape, shape) if isinstance(shape, str) else shape
    return Sign(Hand(path, shape, angle, palm))


def _both(path, shape, angle=(UP, UP), palm=PALM) -> Sign:
    strong = _one(path, shape, angle, palm).strong
    return Sign(strong, strong)


_FALL_PATH = (0.75, -0.7), (0.5, -0.2), (0.85, 0.2), (0.55, 0.7)
_FALL = partial(_both, _FALL_PATH, 'flat', (45, 45))
_DAY = partial(_one, _circle(0.55, 0.3, 0.33), 'flat')
_SIDE = _one(((0.95, 0.3), (0.2, 0.4), (-0.6, 0.3)), 'angle')
_BLOW = Sign(
    Hand(((0.95, 0.05), (0.45, -0.2), (-0.05, 0.05)), angle=(UP, 135), palm=BACK),
    Hand(((0.05, 0.1), (0.45, -0.15), (0.95, 0.1)), angle=(UP, 45), palm=BACK),
)

LEXICON: dict[str, Sign] = {
    # When
    'HEUTE': _both(((0.3, 0.0), (0.32, 0.85)), 'horns', (110, 110), BACK),
    'MORGEN': _one(((0.32, -0.45), (0.75, -0.25), (1.0, 0.3)), 'index', (UP, OUT)),
    'NACHT': _both(((0.95, -0.55), (0.55, -0.1), (0.05, 0.5)), 'flat', (UP, IN), BACK),
    'MONTAG': _DAY(palm=PALM),
    'FREITAG': _DAY(palm=BACK),
    # Where
    'NORD': _one(((0.35, 0.85), (0.38, 0.0), (0.4, -0.8)), 'index'),
    'SUED': _one(((0.9, -0.6), (0.85, 0.85)), 'index', (DOWN, DOWN), BACK),
    'OST': _SIDE._replace(mouth=OPEN),
    'WEST': _SIDE._replace(mouth=SPREAD),
    'ALPEN': _both(
        ((0.05, -0.7), (0.45, -0.1), (0.65, -0.5), (0.95, 0.15)), 'two', (135, 135)
    ),
    'STADT': _one(((0.1, -0.05), (0.9, 0.15), (0.1, 0.5), (0.9, 0.75)), 'two'),
    # What
    'REGEN': _FALL(palm=PALM),
    'SCHNEE': _FALL(palm=BACK),
    'SONNE': _one(((-0.45, 0.9), (0.3, 0.2), (0.9, -0.6)), ('fist', 'flat')),
    'WOLKE': _both(_circle(0.62, -0.4, 0.3), 'claw', (110, 110)),
    'WIND': _BLOW._replace(mouth=OPEN),
    'STURM': _BLOW._replace(mouth=SPREAD),
    'NEBEL': _both(((0.1, 0.25), (0.95, 0.25)), 'flat', (IN, UP), BACK),
    'GEWITTER': _one(
        ((-0.45, -0.75), (0.5, -0.3), (-0.05, 0.15), (0.8, 0.8)), 'index', (DOWN, DOWN)
    ),
    # How
    'STARK': _both(_circle(0.48, 0.55, 0.28), 'flat'),
    'SCHWACH': _one(((-0.45, 0.3), (0.3, 0.95), (1.0, 0.3)), 'claw', (UP, OUT), BACK),
    'VIEL': _both(((0.1, 0.9), (0.2, 0.2), (0.55, -0.3), (1.0, 0.1)), 'claw'),
    'WENIG': _both(((1.0, 0.9), (0.15, 0.8)), 'fist', (UP, IN)),
    'MOEGLICH': _one(
        ((1.0, -0.6), (0.5, -0.65), (1.0, -0.6), (0.5, -0.65)), 'horns', (70, 110)
    ),
}
"""Sign of each gloss of the toy language."""

PIXEL_PAIRS: tuple[tuple[str, str], ...] = (('MONTAG', 'FREITAG'), ('REGEN', 'SCHNEE'))
"""Pairs that only the pixels tell apart."""

MOUTH_PAIRS: tuple[tuple[str, str], ...] = (('OST', 'WEST'), ('WIND', 'STURM'))
"""Pairs that only the keypoints tell apart."""


def sign_of(gloss: str, lexicon: Mapping[str, Sign] = LEXICON) -> Sign:
    """The sign of a gloss: the lexicon's, or one derived from the gloss's hash.

    Raises:
        ConfigError: If the gloss is empty or holds white space.
    """
    if not gloss or gloss.split() != [gloss]:
        raise ConfigError(f'expected one gloss without white space, got {gloss!r}')
    return lexicon.get(gloss) or _sign_from_hash(gloss)


def _sign_from_hash(gloss: str) -> Sign:
    """Make up a sign for any gloss: always the same for the same gloss.

    The digest of the gloss is read as a list of choices, so the sign depends
    neither on the version of a random generator nor on the Python process.
    """
    digest = list(hashlib.sha256(gloss.encode('utf-8')).digest())

    def choose(options):
        return options[digest.pop() % len(options)]

    def hand(lowest: float) -> Hand:
        xs, ys = (-0.3, 0.1, 0.4, 0.65, 0.9), (lowest, -0.25, 0.15, 0.5, 0.8)
        count = choose((2, 3, 3, 4))
        path = tuple((choose(xs), choose(ys)) for _ in range(count))
        shape = choose(tuple(SHAPES))
        angle = choose((OUT, 45.0, UP, 135.0, IN, DOWN))
        shapes = shape, choose((shape, shape, *SHAPES))
        angles = angle, angle + choose((0.0, 0.0, 60.0, -60.0))
        return Hand(path, shapes, angles, choose((PALM, BACK)))

    strong = hand(lowest=-0.7)
    kind = choose(('one', 'one', 'mirrored', 'mirrored', 'own'))
    weak = hand(lowest=-0.1) if kind == 'own' else {'mirrored': strong}.get(kind)
    mouth = Mouth(choose((0.0, 0.15, 0.6, 1.0)), choose((0.0, 0.45, 1.0)))
    return Sign(strong, weak, mouth)
