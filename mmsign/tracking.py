"""Follow one person through a clip in which several are seen.

Symbols: T frames; P persons in a frame, another number in each; boxes
(x0, y0, x1, y1) in pixels.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from mmengine.logging import print_log

_SAME = 0.1  # of the union of two boxes must be common
SECOND = 25
"""Frames. Who is not seen for longer is another person when seen again; who is seen
for less does not take the place of the followed person."""


warn = partial(print_log, logger='current', level=logging.WARNING)


def follow_person(
    boxes: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    notify: Callable[[str], Any] = warn,
) -> np.ndarray:
    """Choose one person for the clip as a whole: the one that is most of it.

    Persons are the same where their boxes overlap from frame to frame. The one with
    the largest sum of score × size is followed. Where that one is not seen for a
    moment, nobody is; before it comes and after it left, the next takes its place if
    it stays for a second, as after a cut. Without a second person in any frame there
    is nothing to choose.

    Args:
        boxes: T arrays (P, 4).
        scores: T arrays (P,).
        notify: Is told if there are several.

    Returns:
        (T,): the index of the followed person in each frame, -1 where it is not seen.

    Examples:
        >>> signer, other = (0, 0, 50, 90), (80, 0, 120, 80)
        >>> boxes = [np.array(b) for b in ([signer], [other, signer], [other])]
        >>> scores = [np.array(s) for s in ([0.8], [0.9, 0.8], [0.9])]
        >>> follow_person(boxes, scores, print)
        up to 2 persons in a frame; one is followed through the clip and seen in 2 of 3
        frames
        array([ 0,  1, -1])
    """
    most = max(map(len, boxes), default=0)
    if most < 2:
        return np.array([len(found) - 1 for found in boxes], int)
    tracks = _link(
        [np.asarray(found, np.float64).reshape(-1, 4) for found in boxes], scores
    )
    followed = np.full(len(boxes), -1)
    taken = np.zeros(len(boxes), bool)
    for track in sorted(tracks, key=lambda track: -track.weight):
        span = slice(track.frames[0], track.frames[-1] + 1)
        stays = len(track.frames) >= SECOND or not taken.any()
        if stays and not taken[span].any():
            taken[span] = True
            followed[track.frames] = track.persons
    notify(
        f'up to {most} persons in a frame; one is followed through the clip and seen '
        f'in {(followed >= 0).sum()} of {len(boxes)} frames'
    )
    return followed


@dataclass
class _Track:
    box: np.ndarray
    weight: float = 0.0
    frames: list[int] = field(default_factory=list)
    persons: list[int] = field(default_factory=list)


def _link(boxes: Sequence[np.ndarray], scores: Sequence[np.ndarray]) -> list[_Track]:
    tracks: list[_Track] = []
    alive: list[_Track] = []
    for frame, (found, sure) in enumerate(zip(boxes, scores)):
        alive = [track for track in alive if frame - track.frames[-1] <= SECOND]
        sizes = np.hypot(*(found[:, 2:] - found[:, :2]).T) + 1
        # Boxes of few points may have no area.
        wider = found + 0.1 * sizes[:, None] * [-1, -1, 1, 1]
        owners: dict[int, _Track] = {}
        if alive and len(found):
            overlaps = _overlaps(np.stack([track.box for track in alive]), wider)
            for pair in np.argsort(-overlaps, axis=None, kind='stable'):
                index, person = divmod(int(pair), len(found))
                track = alive[index]
                if overlaps[index, person] < _SAME:
                    break
                if person not in owners and track.frames[-1] < frame:
                    owners[person] = track
                    track.frames.append(frame)
        for person in range(len(found)):
            track = owners.get(person)
            if track is None:
                track = _Track(wider[person], frames=[frame])
                alive.append(track)
                tracks.append(track)
            track.box = wider[person]
            track.persons.append(person)
            track.weight += float(sure[person] * sizes[person])
    return tracks


def _overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (A, 4) and (B, 4): (A, B)."""
    first = first[:, None]
    low = np.maximum(first[..., :2], second[:, :2])
    high = np.minimum(first[..., 2:], second[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = [np.prod(b[..., 2:] - b[..., :2], axis=-1) for b in (first, second)]
    return common / (areas[0] + areas[1] - common)
