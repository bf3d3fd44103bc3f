"""Names beside one another that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# One colour per gloss (Okabe and Ito 2008): told apart by colour-blind eyes as well;
# when all are used up, the lines change.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00')
LINES = ('-', '--', '-.', ':')


@dataclass(frozen=True)
class Label:
    """A name at a time.

    Attributes:
        text: What is written.
        time: What it is about, in any unit.
        gloss: Whose colour it has.
        wrong: Whether it stands for an error.
        faint: Whether it is a remark only.
    """

    text: str
    time: float
    gloss: str
    wrong: bool = False
    faint: bool = False


@dataclass(frozen=True)
class Place:
    """Where a label goes: its lane, 0 lowest, and its left edge in inches."""

    lane: int
    left: float


def pack(
    middles: Sequence[float], widths: Sequence[float], room: float, gap: float = 0.08
) -> list[Place]:
    """Give each label the lowest lane in which it overlaps none of those before it.

    Args:
        middles: Where the labels would be centred, in inches; first come, first served.
        widths: Of the labels.
        room: Width of the whole; labels are moved to stay inside.
        gap: Least distance between two labels.
    """
    places: list[Place] = []
    taken: list[list[tuple[float, float]]] = []
    for middle, width in zip(middles, widths, strict=True):
        left = max(0.0, min(middle - width / 2, room - width))
        right = left + width + gap
        free = (
            number
            for number, lane in enumerate(taken)
            if all(right <= a or b <= left for a, b in lane)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((left, right))
        places.append(Place(lane, left))
    return places


def colours_of(glosses: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A colour and a kind of line for each gloss, by order of appearance."""
    styles = {}
    for gloss in glosses:
        number = len(styles)
        line = LINES[number // len(COLOURS) % len(LINES)]
        styles.setdefault(gloss, (COLOURS[number % len(COLOURS)], line))
    return styles
