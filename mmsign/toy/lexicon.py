"""The signs of the toy language.

Most differ plainly in path and hand shape. Two kinds of pairs do not, so that
neither stream can do without the other:

* ``PIXEL_PAIRS`` differ only in the side of the hand that the camera sees, which
  shading and colour tell. Their keypoints come from the same generator.
* ``MOUTH_PAIRS`` differ only in the mouth and the face around it, which keypoints
  give precisely while the frames show no more of it than a faint thin line.

No sign is the mirror image of another, so left-handed signers stay unambiguous.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mmsign.errors import ConfigError

from .signs import BACK, DOWN, IN, OUT, PALM, UP, Hand, Mouth, Sign, sign_from_hash

OPEN = Mouth(opening=1.0, width=0.1)
SPREAD = Mouth(opening=0.0, width=1.0)


def _circle(
    x: float, y: float, radius: float, points: int = 7
) -> tuple[tuple[float, float], ...]:
    """One turn, beginning at the top and going outwards."""
    turns = (2 * math.pi * i / (points - 1) for i in range(points))
    return tuple((x + radius * math.sin(a), y - radius * math.cos(a)) for a in turns)


def _one(path, shape, angle=(UP, UP), palm=PALM) -> Sign:
    shape = (shape, shape) if isinstance(shape, str) else shape
    return Sign(Hand(path, shape, angle, palm))


def _both(path, shape, angle=(UP, UP), palm=PALM) -> Sign:
    sign = _one(path, shape, angle, palm)
    return replace(sign, weak=sign.strong)


def _showing(sign: Sign, palm: float) -> Sign:
    weak = sign.weak and replace(sign.weak, palm=palm)
    return replace(sign, strong=replace(sign.strong, palm=palm), weak=weak)


_DAY = _one(_circle(0.55, 0.3, 0.33), 'flat')
_FALL = _both(((0.75, -0.7), (0.5, -0.2), (0.85, 0.2), (0.55, 0.7)), 'flat', (45, 45))
_FORCE = _both(_circle(0.48, 0.55, 0.28), 'flat')
_SIDE = _one(((0.95, 0.3), (0.2, 0.4), (-0.6, 0.3)), 'angle')
_BLOW = Sign(
    Hand(((0.95, 0.05), (0.45, -0.2), (-0.05, 0.05)), angle=(UP, 135), palm=BACK),
    Hand(((0.05, 0.1), (0.45, -0.15), (0.95, 0.1)), angle=(UP, 45), palm=BACK),
)
_AMOUNT = _both(((0.1, 0.9), (0.2, 0.2), (0.55, -0.3), (1.0, 0.1)), 'claw')

LEXICON: dict[str, Sign] = {
    # When
    'HEUTE': _both(((0.3, 0.0), (0.32, 0.85)), 'horns', (110, 110), BACK),
    'MORGEN': _one(((0.32, -0.45), (0.75, -0.25), (1.0, 0.3)), 'index', (UP, OUT)),
    'NACHT': _both(((0.95, -0.55), (0.55, -0.1), (0.05, 0.5)), 'flat', (UP, IN), BACK),
    'MONTAG': _showing(_DAY, PALM),
    'FREITAG': _showing(_DAY, BACK),
    # Where
    'NORD': _one(((0.35, 0.85), (0.38, 0.0), (0.4, -0.8)), 'index'),
    'SUED': _one(((0.9, -0.6), (0.85, 0.85)), 'index', (DOWN, DOWN), BACK),
    'OST': replace(_SIDE, mouth=OPEN),
    'WEST': replace(_SIDE, mouth=SPREAD),
    'ALPEN': _both(
        ((0.05, -0.7), (0.45, -0.1), (0.65, -0.5), (0.95, 0.15)), 'two', (135, 135)
    ),
    'STADT': _one(
        ((0.1, -0.05), (0.9, 0.15), (0.1, 0.5), (0.9, 0.75)), 'two', (UP, UP)
    ),
    # What
    'REGEN': _showing(_FALL, PALM),
    'SCHNEE': _showing(_FALL, BACK),
    'SONNE': _one(((-0.45, 0.9), (0.3, 0.2), (0.9, -0.6)), ('fist', 'flat')),
    'WOLKE': _both(_circle(0.62, -0.4, 0.3), 'claw', (110, 110)),
    'WIND': replace(_BLOW, mouth=OPEN),
    'STURM': replace(_BLOW, mouth=SPREAD),
    'NEBEL': _both(((0.1, 0.25), (0.95, 0.25)), 'flat', (IN, UP), BACK),
    'GEWITTER': _one(
        ((-0.45, -0.75), (0.5, -0.3), (-0.05, 0.15), (0.8, 0.8)), 'index', (DOWN, DOWN)
    ),
    # How
    'STARK': _showing(_FORCE, PALM),
    'SCHWACH': _one(((-0.45, 0.3), (0.3, 0.95), (1.0, 0.3)), 'claw', (UP, OUT), BACK),
    'VIEL': _AMOUNT,
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


def sign_of(gloss: str) -> Sign:
    """The sign of a gloss: the lexicon's, or one derived from the gloss's hash.

    Raises:
        ValueError: If the gloss is empty or holds white space.
    """
    if not gloss or gloss.split() != [gloss]:
        raise ConfigError(f'expected one gloss without white space, got {gloss!r}')
    return LEXICON.get(gloss) or sign_from_hash(gloss)
