"""A sentence as motion: where the hands are and how they are held, frame by frame.

Symbols: T frames, F = 5 fingers.

Signs follow one another with short transitions, and a final smoothing over time
lets each reach into its neighbours, as co-articulation does; how much farther they
reach is for the difficulty to say.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from mmsign.errors import ConfigError

from .lexicon import LEXICON, REST_HAND, SHAPES, Hand, Sign, sign_of
from .signers import Signer

REST_FRAMES = (1, 3)
END_FRAMES = (4, 8)
"""Rest behind half of the sentences; the others are cut as close as in front."""
SIGN_FRAMES = (6, 9)
TRANSITION_FRAMES = (2, 3)
MIN_FRAMES_PER_GLOSS = 4
"""However short a clip is asked for, a gloss is never squeezed below this."""


class HandTrack(NamedTuple):
    """One hand over time, in its own frame of reference (see ``lexicon``).

    Args:
        centre: (T, 2) in shoulder widths.
        direction: (T, 2) unit vectors along the fingers.
        palm: (T,) side that the camera sees, -1 to 1.
        extension: (T, F), 0 to 1.
    """

    centre: np.ndarray
    direction: np.ndarray
    palm: np.ndarray
    extension: np.ndarray


class Motion(NamedTuple):
    """A sentence as motion.

    Args:
        strong: The leading hand.
        weak: The other hand.
        mouth: (T, 2) opening and width, 0 to 1.
        sway: (T, 2) displacement of the whole body, in shoulder widths.
    """

    strong: HandTrack
    weak: HandTrack
    mouth: np.ndarray
    sway: np.ndarray


def sign_sentence(
    glosses: Sequence[str],
    signer: Signer,
    rng: Generator,
    max_frames: int | None = None,
    lexicon: Mapping[str, Sign] = LEXICON,
) -> Motion:
    """Let a signer sign a sentence.

    Args:
        glosses: One or more; those outside the lexicon get a sign of their own.
        signer: Who signs; the difficulty says how much signs vary.
        rng: Source of randomness. The draws do not depend on palms or mouths, so
            with the same state the members of a pair differ in nothing else.
        max_frames: Sign faster to stay below, though with no fewer than
            ``MIN_FRAMES_PER_GLOSS`` frames a gloss.
        lexicon: Sign of each gloss.

    Raises:
        ConfigError: If there is no gloss, or one is not a word.
    """
    if not glosses:
        raise ConfigError('a sentence needs at least one gloss, got none')
    rest = Sign(REST_HAND, REST_HAND)
    signs = [rest, *(sign_of(gloss, lexicon) for gloss in glosses), rest]
    lengths, gaps = _durations(len(glosses), signer, rng, max_frames)
    before, after = rng.integers(*REST_FRAMES, 2, endpoint=True)
    if rng.random() < 0.5:
        after = rng.integers(*END_FRAMES, endpoint=True)
    postures = [
        _sign_columns(sign, int(steps), signer, rng)
        for sign, steps in zip(signs, [before, *lengths, after])
    ]
    postures[1:-1] = _coarticulate(postures[1:-1], signer.difficulty.coarticulation)
    parts = postures[:1]
    for columns, gap in zip(postures[1:], gaps):
        parts += [_transition(parts[-1][-1], columns[0], int(gap)), columns]
    track = _smooth(np.concatenate(parts))
    hands = _hand_track(track[:, :10]), _hand_track(track[:, 10:20])
    return Motion(*hands, mouth=track[:, 20:], sway=_sway(len(track), rng))


def _durations(
    count: int, signer: Signer, rng: Generator, max_frames: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of each of ``count`` signs, and of the transition before each."""
    signs = rng.integers(*SIGN_FRAMES, count, endpoint=True) / signer.speed
    gaps = rng.integers(*TRANSITION_FRAMES, count + 1, endpoint=True) / signer.speed
    gaps[1:-1] = np.maximum(gaps[1:-1] - signer.difficulty.coarticulation, 1.0)
    total = signs.sum() + gaps.sum() + REST_FRAMES[1] + END_FRAMES[1]
    squeeze = min(1.0, (max_frames or total) / total)
    least = (signs, MIN_FRAMES_PER_GLOSS - 1), (gaps, 1)
    return tuple(np.maximum(np.floor(n * squeeze + 0.5), low) for n, low in least)


def _sign_columns(sign: Sign, steps: int, signer: Signer, rng: Generator) -> np.ndarray:
    """Both hands and the mouth during a sign: (steps, 22)."""
    along = np.linspace(0.0, 1.0, steps)

    def hand_columns(hand: Hand) -> list[np.ndarray]:
        path = np.asarray(hand.path, dtype=np.float64)
        path = path + rng.normal(0.0, 1.0, path.shape) * signer.difficulty.placement
        middle = np.array([0.3, 0.2])
        path = middle + (path - middle) * signer.reach + np.asarray(signer.offset)
        angle = np.interp(along, (0.0, 1.0), hand.angle)
        angle = np.deg2rad(angle + rng.normal() * signer.difficulty.turning)
        first, last = (np.asarray(SHAPES[name]) for name in hand.shape)
        extension = first + along[:, None] * (last - first)
        # The image's y grows downwards.
        turns = np.cos(angle), -np.sin(angle), np.full(steps, hand.palm)
        return [_follow(path, steps), *(x[:, None] for x in turns), extension]

    mouth = np.full((steps, 2), (sign.mouth.opening, sign.mouth.width))
    strong, weak = hand_columns(sign.strong), hand_columns(sign.weak or REST_HAND)
    return np.concatenate([*strong, *weak, mouth], axis=1)


def _coarticulate(signs: Sequence[np.ndarray], frames: float) -> list[np.ndarray]:
    """Let neighbouring signs, (steps, 22) each, reach ``frames`` into one another.

    The nearer a frame is to the neighbour, the more of the posture next to it there
    is the neighbour's, up to a half: a hand takes the next sign's shape and place
    before its own is done with, and the weak hand rises early.
    """
    found = [columns.copy() for columns in signs]
    for index in range(len(signs) - 1):
        # The end of a sign, backwards in time; then the beginning of the next.
        for own, other, flow in ((index, index + 1, -1), (index + 1, index, 1)):
            columns, target = found[own][::flow], signs[other][::flow][-1]
            reach = min(round(frames), len(columns))
            nearness = np.arange(reach, 0, -1) / (reach + 1)
            weight = 0.5 * np.sin(0.5 * np.pi * nearness)[:, None] ** 2
            columns[:reach] += weight * (target - columns[:reach])
    return found


def _follow(path: np.ndarray, steps: int) -> np.ndarray:
    """Pass through the points (P, 2) by a Catmull-Rom spline; (steps, 2)."""
    if len(path) == 1:
        return np.repeat(path, steps, axis=0)
    padded = np.pad(path, ((1, 1), (0, 0)), 'reflect', reflect_type='odd')
    place = np.linspace(0.0, len(path) - 1.0, steps)
    segment = np.minimum(place.astype(int), len(path) - 2)
    t = (place - segment)[:, None]
    p0, p1, p2, p3 = (padded[segment + i] for i in range(4))
    return p1 + 0.5 * t * (
        p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))
    )


def _transition(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Go from one posture to another, slowly at both ends; (steps, 22)."""
    along = np.arange(1, steps + 1) / (steps + 1)
    weight = (0.5 - 0.5 * np.cos(np.pi * along))[:, None]
    return start + weight * (end - start)


def _smooth(columns: np.ndarray) -> np.ndarray:
    """Average each frame with its neighbours, weights 1:2:1."""
    padded = np.pad(columns, ((1, 1), (0, 0)), 'edge')
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def _hand_track(columns: np.ndarray) -> HandTrack:
    direction = columns[:, 2:4]
    length = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    return HandTrack(columns[:, :2], direction / length, columns[:, 4], columns[:, 5:])


def _sway(frames: int, rng: Generator) -> np.ndarray:
    """Slow small displacement of the body: (frames, 2)."""
    time = np.arange(frames)[:, None]
    period = rng.uniform(30.0, 60.0, 2)
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    return np.array([0.02, 0.01]) * np.sin(2 * np.pi * time / period + phase)
