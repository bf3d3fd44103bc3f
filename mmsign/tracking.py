"""Follow one person through a clip in which several are seen.

Symbols: T frames; P persons in a frame, another number in each; boxes
(x0, y0, x1, y1) in pixels.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from mmsign.notices import warn

_SAME = 0.1  # of the union of two boxes must be common
SECOND = 25
"""Frames. Who is not seen for longer is another person when seen again; who is seen
for less does not take the place of the followed person."""


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
    is nothing to choose; what can be told then is that the person jumps.

    Args:
        boxes: T arrays (P, 4).
        scores: T arrays (P,).
        notify: Is told if there are or may be several.

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
    boxes = [_wider(np.asarray(found, np.float64).reshape(-1, 4)) for found in boxes]
    if most < 2:
        seen = [frame for frame, found in enumerate(boxes) if len(found)]
        jumps = [b for a, b in pairwise(seen) if not _overlaps(boxes[a], boxes[b])]
        if jumps:
            told = f'{len(jumps)} times (first in frame {jumps[0]})'
            notify(f'the person lies elsewhere all at once, {told}: is it another one?')
        return np.array([len(found) - 1 for found in boxes], int)
    followed = np.full(len(boxes), -1)
    taken = np.zeros(len(boxes), bool)
    tracks = _link(boxes, scores)
    for track in sorted(tracks, key=lambda track: -sum(seen.weight for seen in track)):
        span = slice(track[0].frame, track[-1].frame + 1)
        stays = len(track) >= SECOND or not taken.any()
        if stays and not taken[span].any():
            taken[span] = True
            for seen in track:
                followed[seen.frame] = seen.person
    notify(
        f'up to {most} persons in a frame; one is followed through the clip and seen '
        f'in {(followed >= 0).sum()} of {len(boxes)} frames'
    )
    return followed


class _Seen(NamedTuple):
    frame: int
    person: int
    weight: float
    box: np.ndarray


def _link(boxes: Sequence, scores: Sequence) -> list[list[_Seen]]:
    """The tracks of all persons."""
    tracks, alive = [], []
    for frame, (found, sure) in enumerate(zip(boxes, scores)):
        alive = [track for track in alive if frame - track[-1].frame <= SECOND]
        sizes = np.hypot(*(found[:, 2:] - found[:, :2]).T)
        mine = [[] for _ in found]
        if alive and mine:
            overlaps = _overlaps(np.stack([track[-1].box for track in alive]), found)
            while overlaps.max() >= _SAME:
                index, person = np.unravel_index(overlaps.argmax(), overlaps.shape)
                mine[person] = alive[index]
                overlaps[index] = overlaps[:, person] = 0
        new = [track for track in mine if not track]
        tracks += new
        alive += new
        for person, track in enumerate(mine):
            weight = float(sure[person] * sizes[person])
            track.append(_Seen(frame, person, weight, found[person]))
    return tracks


def _wider(boxes: np.ndarray) -> np.ndarray:
    # Boxes of few points may have no area.
    sizes = np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T) + 1
    return boxes + 0.1 * sizes[:, None] * [-1, -1, 1, 1]


def _overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (A, 4) and (B, 4): (A, B)."""
    first = first[:, None]
    low = np.maximum(first[..., :2], second[:, :2])
    high = np.minimum(first[..., 2:], second[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = [np.prod(b[..., 2:] - b[..., :2], axis=-1) for b in (first, second)]
    return common / (areas[0] + areas[1] - common)
