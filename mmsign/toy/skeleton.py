"""From motion to the 133 COCO-WholeBody keypoints, in pixels of the frame.

Symbols: T frames, K = 133 keypoints, J = 21 points of a hand, [w, h] frame size.

The body is flat: a point of a hand's own frame of reference (see ``lexicon``) is
scaled by the signer's shoulder width and put on its side of the body.
"""

from typing import NamedTuple

import numpy as np

from .motion import HandTrack, Motion
from .signers import Signer

FACE, MOUTH, OUTER_LIPS = slice(23, 91), slice(71, 91), slice(71, 83)
# Left and right.
SIDES = (
    dict(shoulder=5, elbow=7, wrist=9, hand=slice(91, 112)),
    dict(shoulder=6, elbow=8, wrist=10, hand=slice(112, 133)),
)

HEAD_RADII = (0.27, 0.36)
"""Half width and half height of the face, in shoulder widths."""
HEAD_HEIGHT = 0.56
"""Of the middle of the face, above the shoulders."""
LOW_SCORE = 0.3
"""What is lost or out of sight scores below this, all else above 0.5."""

_UPPER_ARM, _FOREARM = 0.62, 0.6
# Of the left hip, knee, ankle and foot.
_LEG = np.stack(
    [[0.35, 0.35, 0.35, 0.4, 0.45, 0.3], [1.55, 2.4, 3.2, 3.3, 3.3, 3.3]], 1
)
# Of thumb, index, middle, ring and little finger, in shoulder widths: first
# joint along and across the palm, length, and direction against the palm's.
_JOINT_ALONG = np.array([0.05, 0.16, 0.17, 0.16, 0.14])
_JOINT_ACROSS = np.array([0.07, 0.065, 0.022, -0.022, -0.065])
_FINGER_LENGTH = np.array([0.14, 0.18, 0.195, 0.18, 0.145])
_FINGER_ANGLE = np.deg2rad([58.0, 10.0, 2.0, -6.0, -16.0])


class Pose(NamedTuple):
    """The true keypoints of a clip, before an estimator's errors.

    Args:
        points: (T, 133, 2) in pixels.
        palms: (T,) each, the side of the left and the right hand that is seen, -1 to 1.
        unit: Shoulder width in pixels.
        signer: Whose they are.
    """

    points: np.ndarray
    palms: tuple[np.ndarray, np.ndarray]
    unit: float
    signer: Signer


def _hand_points(track: HandTrack, scale: float) -> np.ndarray:
    """The points of one hand in its own frame of reference: (T, J, 2)."""
    along = track.direction[:, None]
    # The thumb lies on the inner side when the fingers point upwards.
    across = np.stack([along[..., 1], -along[..., 0]], axis=-1)
    wrist = track.centre[:, None] - 0.12 * scale * along
    base = wrist + scale * _JOINT_ALONG[:, None] * along
    base += scale * _JOINT_ACROSS[:, None] * across
    cos, sin = np.cos(_FINGER_ANGLE)[:, None], np.sin(_FINGER_ANGLE)[:, None]
    finger = cos * along + sin * across
    # Straight: three equal bones. Curled: the last two fold back over the first.
    extension = track.extension[..., None]
    bone = scale * _FINGER_LENGTH[:, None] / 3 * finger
    joints = [base]
    for curled in (0.9, -0.3, -0.7):
        joints.append(joints[-1] + (extension + (1 - extension) * curled) * bone)
    fingers = np.stack(joints, axis=2)
    return np.concatenate([wrist, fingers.reshape(len(fingers), 20, 2)], axis=1)


def _elbow(wrist: np.ndarray) -> np.ndarray:
    """Bend the arm outwards and down, as far as its length asks for; (T, 2)."""
    shoulder = np.array([0.5, 0.0])
    reach = wrist - shoulder
    distance = np.linalg.norm(reach, axis=1, keepdims=True)
    middle = shoulder + reach * _UPPER_ARM / (_UPPER_ARM + _FOREARM)
    height = np.sqrt(np.maximum(_UPPER_ARM**2 - (distance / 2) ** 2, 0.0))
    outwards = np.array([0.6, 0.8])
    unit = reach / np.maximum(distance, 1e-6)
    # Left unnormalised, so that the elbow does not jump when the arm points there.
    aside = outwards - (unit @ outwards)[:, None] * unit
    return middle + 0.8 * height * aside


def _ellipse(count: int, first: float, last: float) -> np.ndarray:
    """Points of a unit circle between two angles in degrees, y downwards."""
    angle = np.deg2rad(np.linspace(first, last, count))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _face_points(mouth: np.ndarray) -> np.ndarray:
    """The 68 points of the face (T, 68, 2), in shoulder widths from its middle.

    Args:
        mouth: (T, 2) opening and width.
    """
    rx, ry = HEAD_RADII
    opening, width = mouth[:, :1], mouth[:, 1:]
    jaw = _ellipse(17, 190, -10) * (rx, ry)
    # The face goes with the mouth. An opening one takes the chin along, and less of
    # the jaw's sides; brows rise with it and sink over a wide one. Neither is drawn.
    drop = 0.3 * opening * np.maximum(jaw[:, 1] / ry, 0.0) ** 2
    brow = np.stack([np.linspace(-0.06, 0.06, 5), [0.0, -0.02, -0.025, -0.02, 0]], 1)
    eye = _ellipse(6, 180, 480) * (0.04, 0.02)
    bridge = np.stack([np.zeros(4), np.linspace(-0.06, 0.03, 4)], 1)
    nose = np.stack([np.linspace(-0.04, 0.04, 5), [0.05, 0.055, 0.06, 0.055, 0.05]], 1)
    brows = [brow + (x, -0.12) for x in (-0.115, 0.115)]
    eyes = [eye + (x, -0.06) for x in (-0.115, 0.115)]
    fixed = np.concatenate([jaw, *brows, bridge, nose, *eyes])
    half_width = 0.06 + 0.18 * width
    upper, lower = 0.025 + 0.06 * opening, 0.025 + 0.17 * opening

    def lips(count: int, thickness: float) -> np.ndarray:
        circle = _ellipse(count, 180, 540 - 360 / count)
        height = np.where(circle[:, 1] < 0, upper, lower) - thickness
        x = circle[:, 0] * (half_width - thickness)
        return np.stack([x, 0.16 + circle[:, 1] * height], axis=-1)

    still = np.repeat(fixed[None], len(mouth), axis=0)
    still[:, :17, 1] += drop
    still[:, 17:27, 1] -= 0.22 * opening - 0.12 * width
    return np.concatenate([still, lips(12, 0.0), lips(8, 0.015)], axis=1)


def pose_of(motion: Motion, signer: Signer, size: tuple[int, int]) -> Pose:
    """Place a signer in the frame.

    Args:
        motion: What is signed.
        signer: Who signs.
        size: [w, h] of the frame in pixels.
    """
    points = np.zeros((len(motion.mouth), 133, 2))
    hands = (motion.weak, motion.strong)[:: -1 if signer.left_handed else 1]
    # The camera sees the signer's right on the left of the image.
    for track, names, side in zip(hands, SIDES, (1.0, -1.0)):
        mirror = np.array([side, 1.0])
        hand = _hand_points(track, signer.hand)
        points[:, names['hand']] = hand * mirror
        points[:, names['wrist']] = hand[:, 0] * mirror
        points[:, names['elbow']] = _elbow(hand[:, 0]) * mirror
        points[:, names['shoulder']] = (0.5 * side, 0.0)
    points[:, [11, 13, 15, 17, 18, 19]] = _LEG
    points[:, [12, 14, 16, 20, 21, 22]] = _LEG * (-1, 1)
    middle = np.array([0.0, -HEAD_HEIGHT])
    points[:, FACE] = middle + signer.head * _face_points(motion.mouth)
    ear = HEAD_RADII[0]
    # Nose, eyes and ears.
    head = [[0.0, 0.03], [0.115, -0.06], [-0.115, -0.06], [ear, 0.0], [-ear, 0.0]]
    points[:, :5] = middle + signer.head * np.array(head)
    points += motion.sway[:, None]
    unit = signer.size * size[0]
    points = points * unit + np.multiply(signer.place, size)
    return Pose(points, tuple(track.palm for track in hands), unit, signer)


def estimate(pose: Pose, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Keypoints with an estimator's errors.

    Hands are lost for one to three frames at a time. What is lost jumps elsewhere
    or to (0, 0); what leaves the frame is put at its border. Both have scores
    below ``LOW_SCORE``.

    Args:
        pose: The truth; the signer's difficulty says how wrong keypoints are.
        size: [w, h] of the frame in pixels.
        rng: Source of randomness.

    Returns:
        (T, K, 3) float32: x px, y px, score.
    """
    frames, count = pose.points.shape[:2]
    difficulty = pose.signer.difficulty
    deviation = np.full(count, difficulty.keypoint_noise * pose.unit)
    deviation[MOUTH] *= 0.6
    points = pose.points + rng.normal(size=pose.points.shape) * deviation[:, None]
    scores = rng.uniform(0.7, 0.98, (frames, count))

    lost = rng.random((frames, count)) < difficulty.point_loss
    jump = rng.normal(size=points.shape) * 0.35 * pose.unit
    points[lost] += jump[lost]
    points[lost & (rng.random((frames, count)) < 0.2)] = 0.0

    for hand in (side['hand'] for side in SIDES):
        # A loss takes two frames on average.
        for start in np.flatnonzero(rng.random(frames) < difficulty.hand_loss / 2):
            run = slice(start, start + int(rng.integers(1, 4)))
            shape = points[run, hand] - points[run, hand].mean(axis=1, keepdims=True)
            lost[run, hand] = True
            points[run, hand] = 0.0
            if rng.random() >= 0.3:
                # Somewhere else and too small: on a sleeve, in the background.
                points[run, hand] = rng.uniform(0.1, 0.9, 2) * size + 0.5 * shape

    inside = np.clip(points, 0.0, np.asarray(size) - 1.0)
    low = lost | (inside != points).any(axis=-1)
    scores[low] = rng.uniform(0.02, LOW_SCORE - 0.02, int(low.sum()))
    return np.concatenate([inside, scores[..., None]], axis=-1).astype(np.float32)
