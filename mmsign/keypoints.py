"""The network's 79 keypoints: selection, parts, mirror pairs, skeleton, graph.

Estimators deliver the 133 points of COCO-WholeBody: body 0..16, feet 17..22,
face 23..90 (the 68 points of iBUG, mouth last), left hand 91..111, right hand
112..132. The network sees 79 of them: docs/method.md#keypoints-and-heatmaps. Left and
right are the signer's.

Below, pairs are written in the numbering of the 133 and kept as channels of the 79.
"""

import re
from collections.abc import Sequence

import numpy as np

from mmsign.errors import ConfigError, DataError

SELECTED_79: tuple[int, ...] = (
    *range(23, 71, 3),  # face
    *range(91, 133),  # hands
    *range(71, 91, 2),  # mouth
    *range(11),  # upper body
)
"""Indices into the 133, in the order of the network's input channels."""

FACES: dict[str, tuple[int, ...]] = dict(
    twostream=SELECTED_79,
    mska=(
        *(23, 26, 29, 33, 36, 39, 41, 43, 46, 48, 53, 56, 59, 62, 65, 68),
        *range(91, 133),
        *(*range(71, 78), 79, 80, 81),
        *range(11),
    ),
)
"""Likewise, by the method whose points of the face and mouth they are: in the same
places others of the 133. What is said below of single points of the face is said of
``twostream``."""

PARTS: dict[str, slice] = {
    'face': slice(0, 16),
    'hands': slice(16, 58),
    'mouth': slice(58, 68),
    'upper_body': slice(68, 79),
}
"""Where each part lies among the 79."""

_BODY = (
    *('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder'),
    *('right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist'),
)


def _name(index: int) -> str:
    """Of one of the 133 that are used."""
    if index < len(_BODY):
        return _BODY[index]
    starts = dict(right_hand=112, left_hand=91, face=23)
    part = next(part for part, start in starts.items() if index >= start)
    return f'{part}_{index - starts[part]}'


NAMES: tuple[str, ...] = tuple(map(_name, SELECTED_79))
"""Of the 79: COCO's of the body (``nose``, ``left_wrist``), ``face_0`` … ``face_66``
after the points of iBUG, ``left_hand_0`` … ``right_hand_20`` after those of a hand, 0
its root, 4 the tip of the thumb, 8 that of the index finger."""

LAYOUT_SIZES = {'coco_wholebody_133': 133, 'mmsign_79': len(SELECTED_79)}
"""Number of keypoints of each layout that a keypoint file may have."""

Pair = tuple[int, int]


CONFIDENT = 0.3
"""A keypoint is taken as seen if its score is above this."""

# Nobody is recognized who is no larger: then x and y are no pixels.
_SPOT_PIXELS, _SPOT_SHARE = 3.0, 0.02
# Of the frames: a fault in the keypoints is in all of them.
_MOST = 0.9


def parse_frame_size(text: str) -> tuple[int, int]:
    """(width, height) in pixels.

    Raises:
        DataError: If it is none.

    Examples:
        >>> parse_frame_size('210x260')
        (210, 260)
    """
    found = re.fullmatch(r'\s*([1-9]\d{0,5})[x×]([1-9]\d{0,5})\s*', text, re.IGNORECASE)
    if found is None:
        raise DataError(f'{text!r} is no size; expected WIDTHxHEIGHT, as 210x260')
    return int(found[1]), int(found[2])


def misplaced(points: np.ndarray, frame_size: tuple[int, int]) -> str:
    """Whether keypoints are in pixels of another frame.

    Args:
        points: (N, K, 3): x and y in pixels, score.
        frame_size: (width, height) of the frame in pixels.

    Returns:
        What is odd, in words; empty if at least three in four confident points lie in
        the frame, or within a tenth of its size around, and more than a spot of it.

    Examples:
        >>> points = np.array([[[300.0, 100.0, 0.9], [20.0, 30.0, 0.9]]])
        >>> misplaced(points, (320, 240))
        ''
        >>> misplaced(points, (84, 104))[:36]
        '50% of the confident keypoints lie o'

        Shares of the frame are no pixels:

        >>> misplaced(points / [[[320, 240, 1]]], (320, 240))[:34]
        'the confident keypoints lie within'
    """
    size = np.array(frame_size)
    places = points[points[..., 2] > CONFIDENT][:, :2]
    if not len(places):
        return ''
    outside = (np.abs(places / size - 0.5) > 0.6).any(axis=1).mean()
    # One in twenty at either end may lie anywhere.
    few = len(places) // 20
    low, high = np.partition(places, (few, -1 - few), axis=0)[[few, -1 - few]]
    spot = np.maximum(_SPOT_PIXELS, _SPOT_SHARE * size)
    width, height = span = high - low
    size = '×'.join(map(str, frame_size))
    # Points that are all one say nothing of their unit.
    if np.all((span > 0) & (span < spot) & (2 * spot < frame_size)):
        return (
            f'the confident keypoints lie within {width:.2g}×{height:.2g} pixels of a '
            f'frame of {size}; they seem to be shares of it: give x and y in pixels'
        )
    # Estimators guess where arms are that the picture cuts off: a few do lie outside.
    if outside <= 0.25:
        return ''
    return (
        f'{outside:.0%} of the confident keypoints lie outside the frame of {size} '
        'pixels; they seem to be of another resolution'
    )


def unusual_posture(points: np.ndarray) -> str:
    """Whether keypoints show somebody as no signer is seen: lying, upside down, from
    behind.

    Turned videos, x and y that are exchanged, and y that is counted from below look
    so, and mirrored points whose left and right were not exchanged.

    Args:
        points: (N, 79, 3): x and y in pixels, score.

    Returns:
        What is odd, in words; empty if it is seen in at most nine of ten frames that
        can tell: those with confident shoulders and nose, apart from one another.

    Examples:
        >>> points = np.zeros((1, 79, 3))
        >>> points[0, [*SHOULDERS, NOSE]] = [60, 60, 1], [20, 60, 1], [40, 20, 1]
        >>> unusual_posture(points), unusual_posture(points[..., [1, 0, 2]])[:46]
        ('', 'in 100% of the frames the head is not above th')
    """
    three = points[:, [*SHOULDERS, NOSE]]
    left, right, nose = three[(three[..., 2] > CONFIDENT).all(axis=1)].swapaxes(0, 1)
    aside, up = ((left + right) / 2 - nose)[:, :2].T
    across = (left - right)[:, 0]
    tells = np.hypot(aside, up) > np.hypot(*(left - right)[:, :2].T) / 4
    upright = up > np.abs(aside)
    turned = 1 - upright[tells].mean() if tells.any() else 0.0
    if turned > _MOST:
        return (
            f'in {turned:.0%} of the frames the head is not above the shoulders: the '
            'video is turned, or x and y of the keypoints are exchanged or count from '
            'elsewhere; expect nothing of this'
        )
    # Whoever stands sideways has no side.
    tells &= upright & (np.abs(across) > up / 2)
    mirrored = (across[tells] < 0).mean() if tells.any() else 0.0
    if mirrored > _MOST:
        return (
            f'in {mirrored:.0%} of the frames the left shoulder is where the right one '
            'of a signer is: mirrored keypoints, left and right not exchanged, or '
            'somebody from behind; expect nothing of this'
        )
    return ''


ESTIMATORS_KEY = 'estimators'
"""In a checkpoint's ``meta`` and a config's ``corpus``: list of the estimators whose
points a network was trained on."""


def checked_estimator(name: str | None, where: str) -> str | None:
    """The name of an estimator, which is compared and shown.

    Raises:
        DataError: If it is no name; begins with ``where``.
    """
    if name is not None and not (
        isinstance(name, str) and name.strip() and name.isprintable()
    ):
        raise DataError(f'{where}: {name!r} is no name of an estimator')
    return name


def foreign(estimator: str | None, trained: Sequence[str]) -> str:
    """Whether points come from another estimator than a network knows.

    Args:
        estimator: What made the points, None if nobody says.
        trained: What made those of training, empty if nobody says.

    Returns:
        What is odd, in words; empty if nothing is known to be.

    Examples:
        >>> foreign('rtmw', ['rtmw', 'hrnet']), foreign('rtmw', []), foreign(None, 'a')
        ('', '', '')
        >>> foreign('mediapipe-holistic', ['hrnet'])[:46]
        'keypoints of mediapipe-holistic, the network w'
    """
    if estimator is None or not trained or estimator in trained:
        return ''
    return (
        f'keypoints of {estimator}, the network was trained on those of '
        f'{", ".join(trained)}: expect more errors (docs/keypoints.md)'
    )


def _channels(pairs: list[Pair]) -> tuple[Pair, ...]:
    """Translate pairs of indices into the 133 to channels of the 79."""
    return tuple((SELECTED_79.index(a), SELECTED_79.index(b)) for a, b in pairs)


def _chain(*indices: int) -> list[Pair]:
    """Neighbours of a line of points."""
    return list(zip(indices[:-1], indices[1:]))


def _hand(root: int) -> list[Pair]:
    """The bones of a hand as (child, parent), towards its root."""
    tips = range(root + 4, root + 21, 4)
    return [bone for tip in tips for bone in _chain(*range(tip, tip - 4, -1), root)]


_LIMBS = [  # (child, parent)
    *((1, 0), (2, 0), (3, 1), (4, 2)),  # eyes, ears
    *_chain(91, 9, 7, 5),  # left hand's root, wrist, elbow, shoulder
    *_chain(112, 10, 8, 6),  # right
    *_hand(91),
    *_hand(112),
]

LEFT_RIGHT: tuple[Pair, ...] = _channels(
    [(91 + i, 112 + i) for i in range(21)]
    + [(left, left + 1) for left in (1, 3, 5, 7, 9)]
    # Eye corners: outer, inner. Mouth corners, lips.
    + [(68, 59), (65, 62), (77, 71), (75, 73), (79, 81), (87, 83)]
)
"""(left, right) channels that mirror each other.

The remaining points lie on the face's midline, or their mirror image is not
among the 79 (jaw and eyebrows, of which only every third point is used).
"""

# Of the face's points whose mirror image is not among the 79, (right, left) that nearly
# mirror each other: jaw, eyebrows.
_NEARLY = _channels([(23, 38), (26, 35), (29, 32), (41, 47)])

MIRRORED = np.arange(len(SELECTED_79))
"""The channel that each of the 79 becomes in a mirror, (79,); its own inverse."""
for _pair in (*LEFT_RIGHT, *_NEARLY):
    MIRRORED[list(_pair)] = _pair[::-1]

SHOULDERS: Pair = _channels([(5, 6)])[0]
"""Channels of the left and the right shoulder."""

NOSE = SELECTED_79.index(0)
"""Channel of the nose."""

HEAD = [SELECTED_79.index(i) for i in SELECTED_79 if i < 5 or 23 <= i <= 90]
"""Channels of the face, the mouth, nose, eyes and ears."""

HANDS = (slice(16, 37), slice(37, 58))
"""Where the points of the left and the right hand lie, the hand's root first."""

ARMS = tuple(zip(SHOULDERS, *_channels([(7, 8), (9, 10)]), HANDS))
"""Left and right: channels of shoulder, elbow and wrist, and the hand's."""

SKELETON: tuple[Pair, ...] = _channels(
    [*_LIMBS, (5, 6), (3, 5), (4, 6)]  # shoulders, ears to shoulders
    + _chain(*range(23, 39, 3))  # jaw
    + _chain(50, 53, 56)  # ridge of the nose to its base
    + [(41, 44), (59, 62), (65, 68)]  # right eyebrow, right eye, left eye
    + _chain(71, 73, 75, 77, 79, 81, 71)  # outer lips
    + _chain(83, 85, 87, 89, 83)  # inner lips
)
"""Channels to join by a line when a skeleton is drawn."""

_INWARD = _channels(
    [*_LIMBS, (5, 0), (6, 0)]
    + [*_chain(29, 26, 23, 4), *_chain(32, 35, 38, 3)]  # jaw to the ears
    + [*_chain(41, 44, 2), (47, 1)]  # eyebrows
    + [*_chain(50, 53, 0), (56, 0)]  # nose
    + [(62, 2), (59, 2), (65, 1), (68, 1)]  # eyes: inner, outer corner
    + [(73, 56), (71, 73), (81, 71), (83, 71)]  # mouth, right half
    + [(75, 56), (77, 75), (79, 77), (87, 77)]  # left half
    + [(85, 56), (89, 85)]  # middle of the lips, inside
)


def channels_of(keypoints: Sequence[str | int] | str | None) -> tuple[int, ...]:
    """Which of the 79 are chosen.

    Args:
        keypoints: Parts (of ``PARTS``, or ``left_hand``, ``right_hand``), single points
            (of ``NAMES``) or channels, in any order; None chooses all.

    Returns:
        Channels, each once, rising.

    Raises:
        ConfigError: If nothing is chosen, or one is none of the 79.

    Examples:
        >>> channels_of(['right_wrist', 'left_wrist', 'nose'])
        (68, 77, 78)
        >>> len(channels_of(['hands', 'upper_body', 'nose', 16]))
        53
    """
    every = range(len(SELECTED_79))
    if keypoints is None:
        return tuple(every)
    parts = PARTS | dict(zip(('left_hand', 'right_hand'), HANDS))
    chosen: set[int] = set()
    # A single name, as a command line has it.
    for key in [keypoints] if isinstance(keypoints, (str, int)) else keypoints:
        if key in parts:
            chosen.update(every[parts[key]])
        elif key in NAMES or (type(key) is int and key in every):
            chosen.add(NAMES.index(key) if key in NAMES else key)
        else:
            raise ConfigError(
                f'keypoints={keypoints!r}: {key!r} is none of the parts '
                f'{", ".join(parts)}, nor a point such as nose, left_wrist, '
                f'right_hand_8 or face_30 (docs/keypoints.md), nor a channel 0 to '
                f'{every[-1]}'
            )
    if not chosen:
        raise ConfigError('keypoints=[] leaves none; leave it out to take all')
    return tuple(sorted(chosen))


def graph_layout(channels: Sequence[int]) -> dict:
    """The skeleton of chosen keypoints as a tree, for MMAction2's ``Graph``.

    A point hangs on the nearest of those between it and the nose that are chosen. If
    the nose is not, the chosen point nearest to it takes its place.

    Args:
        channels: Of the K chosen among the 79, distinct.

    Returns:
        ``num_node`` K; ``inward``, (child, parent) pairs of positions in ``channels``;
        ``center``, that of the root.

    Examples:
        The elbow between the left wrist and the shoulder is left out:

        >>> graph_layout(channels_of(['nose', 'left_shoulder', 'left_wrist']))
        {'num_node': 3, 'inward': [(1, 0), (2, 1)], 'center': 0}
    """
    parents = dict(_INWARD)
    inwards: dict[int, list[int]] = {}
    for channel in channels:
        inwards[channel] = path = []
        while (channel := parents.get(channel)) is not None:
            path.append(channel)
    place = {channel: number for number, channel in enumerate(channels)}
    root = min(channels, key=lambda channel: len(inwards[channel]))
    inward = [
        (place[channel], place[next(filter(place.__contains__, path), root)])
        for channel, path in inwards.items()
        if channel != root
    ]
    return dict(num_node=len(place), inward=inward, center=place[root])


GRAPH_LAYOUTS: dict[str, dict] = {'mmsign_79': graph_layout(channels_of(None))}
"""Layouts for MMAction2's ``Graph`` that a config may name in ``graph_cfg``, besides
MMAction2's own: a tree of (child, parent) channels towards the nose, arms over the
shoulders, hands on the wrists, the points of the face on the nearest of the body. Of a
stream that sees chosen keypoints, the tree of those."""


def select_79(
    points: np.ndarray, layout: str | None = None, face: str = 'twostream'
) -> np.ndarray:
    """Select the network's 79 keypoints.

    Args:
        points: (..., K, C) in ``layout``.
        layout: A key of ``LAYOUT_SIZES``; None takes the one of K keypoints, of which
            79 are taken as they are.
        face: Whose points of the face, a key of ``FACES``.

    Returns:
        (..., 79, C)

    Raises:
        DataError: If the layout is unknown, K is not its size, or it lacks the points
            of this face.

    Examples:
        >>> whole_body = np.zeros((25, 133, 3))  # x, y, score of 25 frames
        >>> select_79(whole_body, 'coco_wholebody_133').shape
        (25, 79, 3)
    """
    count = points.shape[-2]
    of_size = {size: name for name, size in LAYOUT_SIZES.items()}
    given, layout = layout, layout or of_size.get(count, f'of {count} keypoints')
    if LAYOUT_SIZES.get(layout) != count:
        raise DataError(
            f'keypoint layout {layout!r} in an array of shape {points.shape}: expected '
            f'one of {LAYOUT_SIZES}'
        )
    if layout != 'mmsign_79':
        return points[..., FACES[face], :]
    if given and face != 'twostream':
        raise DataError(
            f'keypoint layout {layout!r} lacks points of the face that LoadClip(face='
            f'{face!r}) asks for; give all of coco_wholebody_133, or leave out face'
        )
    return points
