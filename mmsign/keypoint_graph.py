"""The 79 keypoints as a graph for MMAction2's graph networks.

A tree towards the nose: arms over the shoulders, hands on the wrists, and the
points of the face on the nearest point of the body layout (nose, eyes, ears).
"""

from __future__ import annotations

from mmsign.keypoints import SELECTED_79

_CHANNEL = {index: channel for channel, index in enumerate(SELECTED_79)}
_NOSE = 0

# (child, parent) in the numbering of the 133 points.
_BODY = [
    *((1, 0), (2, 0), (3, 1), (4, 2)),  # eyes, ears
    *((5, 0), (7, 5), (9, 7)),  # left arm
    *((6, 0), (8, 6), (10, 8)),  # right arm
]
_FACE = [
    # Jaw, from either ear to the chin.
    *((23, 4), (26, 23), (29, 26)),
    *((38, 3), (35, 38), (32, 35)),
    *((44, 2), (41, 44), (47, 1)),  # eyebrows
    *((53, 0), (50, 53), (56, 0)),  # nose
    *((62, 2), (59, 2), (65, 1), (68, 1)),  # eyes: inner, outer corner
]
_MOUTH = [
    *((73, 56), (71, 73), (81, 71), (83, 71)),  # right half
    *((75, 56), (77, 75), (79, 77), (87, 77)),  # left half
    *((85, 56), (89, 85)),  # middle of the lips, inside
]


def _hand(wrist: int, root: int) -> list[tuple[int, int]]:
    edges = [(root, wrist)]
    for first in range(root + 1, root + 21, 4):
        edges.append((first, root))
        edges += [(joint, joint - 1) for joint in range(first + 1, first + 4)]
    return edges


_EDGES = [*_BODY, *_FACE, *_MOUTH, *_hand(9, 91), *_hand(10, 112)]

MMSIGN_79: dict = dict(
    num_node=len(SELECTED_79),
    inward=[(_CHANNEL[child], _CHANNEL[parent]) for child, parent in _EDGES],
    center=_CHANNEL[_NOSE],
)
"""Layout for MMAction2's ``Graph``: edges (child, parent) and root, in channels."""

GRAPH_LAYOUTS: dict[str, dict] = {'mmsign_79': MMSIGN_79}
"""Layouts that a config may name in ``graph_cfg``, besides MMAction2's."""
