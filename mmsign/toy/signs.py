"""What a sign is: the paths, shapes and turns of the hands, and the mouth.

Symbols: P waypoints of a path.

Each hand has its own frame of reference, seen from the camera: x grows outwards
on the hand's own side, y grows downwards, the origin lies midway between the
shoulders and the unit is the shoulder width. So a symmetric sign has the same
numbers for both hands, and a left-handed signer mirrors it without any change.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

FINGERS = ('thumb', 'index', 'middle', 'ring', 'little')

SHAPES: dict[str, tuple[float, float, float, float, float]] = {
    'flat': (1.0, 1.0, 1.0, 1.0, 1.0),
    'fist': (0.3, 0.0, 0.0, 0.0, 0.0),
    'index': (0.2, 1.0, 0.0, 0.0, 0.0),
    'two': (0.2, 1.0, 1.0, 0.0, 0.0),
    'angle': (1.0, 1.0, 0.0, 0.0, 0.0),
    'horns': (1.0, 0.0, 0.0, 0.0, 1.0),
    'claw': (0.7, 0.6, 0.6, 0.6, 0.6),
}
"""Extension of each finger, 0 (curled) to 1 (straight)."""

PALM, EDGE, BACK = 1.0, 0.0, -1.0
"""Which side of the hand the camera sees."""

OUT, UP, IN, DOWN = 0.0, 90.0, 180.0, -90.0
"""Where the fingers point, in degrees."""


@dataclass(frozen=True)
class Hand:
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


@dataclass(frozen=True)
class Mouth:
    """A mouth shape: 0 to 1 each, from closed to open and from narrow to wide."""

    opening: float = 0.15
    width: float = 0.45


NEUTRAL = Mouth()


@dataclass(frozen=True)
class Sign:
    """One sign.

    Args:
        strong: The hand that leads: the right one of most signers.
        weak: The other hand; ``None`` leaves it at rest.
        mouth: Held throughout the sign.
    """

    strong: Hand
    weak: Hand | None = None
    mouth: Mouth = NEUTRAL


REST_HAND = Hand(path=((0.3, 1.2),), shape=('claw', 'claw'), angle=(160.0, 160.0))
"""Where the hands are before and after a sentence."""


def sign_from_hash(gloss: str) -> Sign:
    """Make up a sign for any gloss: always the same for the same gloss.

    The digest of the gloss is read as a list of choices, so the sign depends
    neither on the version of a random generator nor on the Python process.
    """
    digest = list(hashlib.sha256(gloss.encode('utf-8')).digest())

    def choose(options):
        return options[digest.pop() % len(options)]

    def hand(lowest: float) -> Hand:
        points = tuple(
            (
                choose((-0.3, 0.1, 0.4, 0.65, 0.9)),
                choose((lowest, -0.25, 0.15, 0.5, 0.8)),
            )
            for _ in range(choose((2, 3, 3, 4)))
        )
        shape = choose(tuple(SHAPES))
        angle = choose((OUT, 45.0, UP, 135.0, IN, DOWN))
        return Hand(
            path=points,
            shape=(shape, choose((shape, shape, *SHAPES))),
            angle=(angle, angle + choose((0.0, 0.0, 60.0, -60.0))),
            palm=choose((PALM, BACK)),
        )

    strong = hand(lowest=-0.7)
    kind = choose(('one', 'one', 'mirrored', 'mirrored', 'own'))
    weak = {'one': None, 'mirrored': strong}.get(kind)
    if kind == 'own':
        weak = hand(lowest=-0.1)
    mouth = Mouth(choose((0.0, 0.15, 0.6, 1.0)), choose((0.0, 0.45, 1.0)))
    return Sign(strong, weak, mouth)
