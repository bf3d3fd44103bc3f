"""Who signs: build, place in the frame, habits, colours; and how much all that varies.

Colours are BGR, 0 to 255.
"""

from __future__ import annotations

import colorsys
import hashlib
import math
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.random import Generator

from mmsign.errors import ConfigError

Colour = tuple[float, float, float]

_SKINS: tuple[Colour, ...] = (
    (170, 195, 232),
    (140, 172, 215),
    (105, 143, 196),
    (78, 112, 165),
    (62, 88, 134),
)
_PALM: Colour = (138, 150, 252)
_BACK_SHADE = 0.62


@dataclass(frozen=True)
class Difficulty:
    """Sources of variation; 0 switches one off. Lengths are in shoulder widths.

    Args:
        signers: How far signers stray from the average one (build, place in the
            frame, speed, size of movements), as a multiple of the usual.
        placement: Standard deviation of a waypoint, from sign to sign.
        turning: Standard deviation of the fingers' direction, in degrees.
        keypoint_noise: Standard deviation of a keypoint's coordinates.
        hand_loss: Share of the frames in which a hand is lost.
        point_loss: Share of the single keypoints that are lost.
        coarticulation: Frames that neighbouring signs reach into one another: so
            many of a sign's, at either end, turn into its neighbour, and the
            transition between them is as much shorter.
    """

    signers: float = 0.3
    placement: float = 0.01
    turning: float = 2.0
    keypoint_noise: float = 0.006
    hand_loss: float = 0.012
    point_loss: float = 0.004
    coarticulation: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise ConfigError(f'{name} must be 0 or more, got {value}')

    @classmethod
    def scaled(cls, level: float, usual: Difficulty | None = None) -> Difficulty:
        """All sources times ``level``: 0 is a clean corpus, 1 the default one.

        Args:
            level: 0 to 5.
            usual: What is scaled, by default ``USUAL``.

        Raises:
            ConfigError: If ``level`` is negative, or above 5, where nothing could be
                recognised any more.
        """
        if not 0 <= level <= 5:
            raise ConfigError(f'difficulty must be between 0 and 5, got {level}')
        sources = vars(usual or USUAL)
        return cls(**{name: level * value for name, value in sources.items()})


USUAL = Difficulty()


@dataclass(frozen=True)
class Signer:
    """One signer.

    Args:
        name: As it stands in the annotations.
        left_handed: Mirrors every sign.
        size: Shoulder width as a share of the frame's width.
        place: Point between the shoulders as shares of the frame's width, height.
        head: Size of the head, 1 is true to life.
        hand: Size of the hands, 1 is true to life.
        speed: 1 on average, greater is faster.
        reach: Size of the movements, 1 on average.
        offset: Where the hands are held, against the average, in shoulder widths.
        sleeve: Share of the arm that clothes cover.
        hair_length: 0 (short) to 1 (to the shoulders).
        skin, clothes, hair, background: Colours.
        difficulty: How much the signs vary, and how badly keypoints are estimated.
    """

    name: str
    left_handed: bool
    size: float
    place: tuple[float, float]
    head: float
    hand: float
    speed: float
    reach: float
    offset: tuple[float, float]
    sleeve: float
    hair_length: float
    skin: Colour
    clothes: Colour
    hair: Colour
    background: Colour
    difficulty: Difficulty

    @property
    def palm(self) -> Colour:
        """Colour of the palm: redder and lighter than the skin elsewhere."""
        return tuple(0.3 * s + 0.7 * p for s, p in zip(self.skin, _PALM))

    @property
    def back(self) -> Colour:
        """Colour of the back of the hand, in the shade."""
        return tuple(_BACK_SHADE * s for s in self.skin)


def _colour_apart(
    rng: Generator, value: tuple[float, float], others: list[Colour]
) -> Colour:
    """Any hue but those of skin, muted as in a studio: of a few random colours the
    farthest from ``others``."""

    def colour() -> Colour:
        hue, saturation = rng.uniform(0.2, 0.85), rng.uniform(0.05, 0.3)
        rgb = colorsys.hsv_to_rgb(hue, saturation, rng.uniform(*value))
        return tuple(255.0 * c for c in reversed(rgb))

    candidates = [colour() for _ in range(6)]
    return max(candidates, key=lambda c: min(math.dist(c, o) for o in others))


def make_signer(name: str, rng: Generator, difficulty: Difficulty = USUAL) -> Signer:
    """Draw a signer; one in four is left-handed.

    Args:
        name: As it stands in the annotations.
        rng: Source of randomness.
        difficulty: How far signers differ, and what the signer carries on.
    """

    def around(mean: float, deviation: float) -> float:
        return mean + difficulty.signers * rng.uniform(-deviation, deviation)

    lower, share = divmod(rng.uniform(0, len(_SKINS) - 1), 1)
    skin = tuple(a + share * (b - a) for a, b in zip(*_SKINS[int(lower) :][:2]))
    hands = [skin, tuple(_BACK_SHADE * s for s in skin), _PALM]
    clothes = _colour_apart(rng, (0.15, 0.55), hands)
    return Signer(
        name=name,
        left_handed=bool(rng.random() < 0.25),
        size=max(0.25, around(0.42, 0.03)),
        place=(around(0.5, 0.04), around(0.43, 0.025)),
        head=max(0.7, around(1.25, 0.08)),
        hand=max(0.7, around(1.7, 0.12)),
        speed=max(0.6, around(1.0, 0.13)),
        reach=max(0.6, around(0.97, 0.09)),
        offset=(around(0.0, 0.04), around(0.0, 0.05)),
        sleeve=float(rng.choice((0.5, 0.95, 0.95))),
        hair_length=float(rng.uniform()),
        skin=skin,
        clothes=clothes,
        hair=tuple(rng.uniform(0.1, 0.9) * c for c in (70.0, 100.0, 140.0)),
        background=_colour_apart(rng, (0.6, 0.95), [*hands, clothes]),
        difficulty=difficulty,
    )


def signer_of(name: str, difficulty: Difficulty = USUAL) -> Signer:
    """A signer made up from a name: always the same for the same name."""
    digest = hashlib.sha256(name.encode('utf-8')).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], 'little'))
    return make_signer(name, rng, difficulty)


def make_cast(
    sizes: dict[str, int], seed: int, difficulty: Difficulty = USUAL
) -> dict[str, list[Signer]]:
    """Signers of each split, none in two of them.

    One signer in eight of a split is left-handed, beginning with the sixth.

    Args:
        sizes: Number of signers by split.
        seed: Of the corpus.
        difficulty: How far signers differ.
    """
    cast, numbers = {split: [] for split in sizes}, count(1)
    for split, size in sizes.items():
        for index, number in zip(range(size), numbers):
            rng = np.random.default_rng([seed, 1, number])
            signer = make_signer(f'Signer{number:02d}', rng, difficulty)
            cast[split].append(replace(signer, left_handed=index % 8 == 5))
    return cast
