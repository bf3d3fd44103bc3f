"""Other people, other cameras: one decision per clip, for frames and keypoints alike.

All of these stand behind ``SignerCrop`` (or another crop) and ``ClipResize``. Lengths
are shares of the crop box's side. A keypoint that was not found (score 0) stays where
it is.

Symbols: T frames after sampling, S side of a frame in pixels, K = 79 keypoints (x, y in
pixels of the source frame, score).
"""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.keypoints import ARMS, HANDS, HEAD, MIRRORED, SHOULDERS
from mmsign.registry import TRANSFORMS


def _found(keypoints: np.ndarray) -> np.ndarray:
    return keypoints[..., 2] > 0


def _taken(transform: BaseTransform, results: dict, key: str) -> np.ndarray:
    """A copy of the keypoints or frames, which a transform cannot do without."""
    if isinstance(results.get(key, ''), str):
        raise ConfigError(
            f'{type(transform).__name__} changes {key}: let LoadClip load them, and '
            'DecodeClip decode frames'
        )
    return results[key].copy()


def _check(transform: BaseTransform, **shares: float) -> None:
    for name, value in shares.items():
        if not value >= 0:
            raise ConfigError(
                f'{type(transform).__name__}: {name} must not be negative, not {value}'
            )


@TRANSFORMS.register_module()
class ClipWarp(BaseTransform):
    """Turn, scale, shear, tilt, shift and mirror a clip: another camera, a left-hander.

    A point p about the box's middle, in shares of the box's side, becomes A·p + s over
    1 + t·p, with the matrix A of rotation, scales and shear, shift s and tilt t.
    Mirrored signers swap their left and right keypoints as well. What a frame does not
    show is filled with its border.

    Reads ``crop_box``; changes ``keypoints`` (T, K, 3) and ``frames`` (T, S, S, 3), if
    they are there.

    Args:
        mirror: Probability of mirroring.
        degrees: Largest rotation.
        scale: Largest change of size, as a share; drawn evenly in the logarithm.
        aspect: The same of the width over the height.
        shear: Largest shear.
        shift: Largest shift in x and in y.
        tilt: Largest t: the far side of the box is smaller by about this share.
    """

    def __init__(
        self,
        mirror: float = 0.5,
        degrees: float = 12.0,
        scale: float = 0.2,
        aspect: float = 0.1,
        shear: float = 0.1,
        shift: float = 0.05,
        tilt: float = 0.1,
    ) -> None:
        _check(self, degrees=degrees, scale=scale, aspect=aspect, shear=shear)
        _check(self, shift=shift, tilt=tilt)
        if not (0 <= mirror <= 1 and scale < 1 and aspect < 1 and tilt <= 0.5):
            raise ConfigError(
                'ClipWarp: mirror is a probability, scale and aspect are below 1 and '
                f'tilt at most 0.5, not {mirror}, {scale}, {aspect} and {tilt}'
            )
        self.mirror = mirror
        self.degrees, self.scale, self.aspect = degrees, scale, aspect
        self.shear, self.shift, self.tilt = shear, shift, tilt

    def transform(self, results: dict) -> dict:
        if self.mirror and results.get('face', 'twostream') != 'twostream':
            raise ConfigError(
                f'{type(self).__name__} has no mirror image of the points of '
                f'{results["face"]!r}, which LoadClip(face=…) takes; do not mirror'
            )
        mirrored = np.random.uniform() < self.mirror
        matrix = self._draw(mirrored)
        if 'keypoints' in results:
            points = results['keypoints']
            points = points[:, MIRRORED] if mirrored else points.copy()
            moved = _moved(points[..., :2], matrix, results['crop_box'])
            found = _found(points)
            points[..., :2][found] = moved[found]
            results['keypoints'] = points
        if not isinstance(results.get('frames', ''), str):
            results['frames'] = _warped(results['frames'], matrix)
        return results

    def _draw(self, mirrored: bool) -> np.ndarray:
        """A 3×3 matrix of shares about the box's middle."""
        draw = np.random.uniform
        angle = np.radians(draw(-self.degrees, self.degrees))
        turn = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        size = np.exp(draw(-1, 1) * np.log1p(self.scale))
        wider = np.exp(draw(-0.5, 0.5) * np.log1p(self.aspect))
        shear = np.array([[1, draw(-self.shear, self.shear)], [0, 1]])
        matrix = np.eye(3)
        matrix[:2, :2] = turn @ shear @ np.diag([size * wider, size / wider])
        matrix[:2, 2] = draw(-self.shift, self.shift, 2)
        matrix[2, :2] = draw(-self.tilt, self.tilt, 2)
        return matrix @ np.diag([-1 if mirrored else 1, 1, 1])


@TRANSFORMS.register_module()
class ClipFlip(ClipWarp):
    """Mirror a clip and nothing else: a left-hander, exact to the pixel.

    Reads and changes what ``ClipWarp`` does.

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.5) -> None:
        super().__init__(prob, *[0.0] * 6)


def _moved(xy: np.ndarray, matrix: np.ndarray, box: tuple) -> np.ndarray:
    """Points (…, 2) in pixels through a matrix of shares about the box's middle."""
    x0, y0, width, height = box
    side = np.array([width, height])
    # Pixel centres lie at whole numbers: the box reaches from x0 − ½ to x0 − ½ + width.
    middle = np.array([x0, y0]) + side / 2 - 0.5
    shares = (xy - middle) / side
    # Nothing behind the camera: where a tilt would turn points inside out, they stay
    # at the horizon.
    depth = np.maximum(shares @ matrix[2, :2] + matrix[2, 2], 0.2)
    shares = (shares @ matrix[:2, :2].T + matrix[:2, 2]) / depth[..., None]
    return shares * side + middle


def _warped(frames: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Frames (T, S, S, 3) through a matrix of shares about their middle."""
    if np.array_equal(matrix, np.diag([matrix[0, 0], 1, 1])) and matrix[0, 0] ** 2 == 1:
        return frames if matrix[0, 0] > 0 else frames[:, :, ::-1].copy()
    height, width = frames.shape[1:3]
    shares = np.diag([1 / width, 1 / height, 1.0])
    shares[:2, 2] = -0.5 * (width - 1) / width, -0.5 * (height - 1) / height
    pixels = np.linalg.inv(shares) @ matrix @ shares
    size, border = (width, height), dict(borderMode=cv2.BORDER_REPLICATE)
    return np.stack([cv2.warpPerspective(x, pixels, size, **border) for x in frames])


@TRANSFORMS.register_module()
class VaryBody(BaseTransform):
    """Another body: other lengths of the arms, shoulders, hands and neck.

    Keypoints alone, as no pixels can be had of another person. Upper and lower arms
    keep their directions and change their lengths, the hands move with the wrists, and
    face and head move with the neck.

    Reads ``crop_box``, changes ``keypoints`` (T, K, 3).

    Args:
        limbs: Standard deviation of the logarithm of the lengths of upper arms, lower
            arms and the distance of the shoulders; both sides change alike.
        hands: The same of the hands' size, each for itself.
        head: Standard deviation of the head's shift in x and in y.
    """

    def __init__(
        self, limbs: float = 0.15, hands: float = 0.15, head: float = 0.02
    ) -> None:
        _check(self, limbs=limbs, hands=hands, head=head)
        self.limbs, self.hands, self.head = limbs, hands, head

    def transform(self, results: dict) -> dict:
        points = _taken(self, results, 'keypoints')
        xy, found = points[..., :2], _found(points)
        before = xy.copy()

        def way(start: int, end: int) -> np.ndarray:
            """(T, 2) between two keypoints; 0 where one of them was not found."""
            both = (found[:, start] & found[:, end])[:, None]
            return np.where(both, before[:, end] - before[:, start], 0)

        width, upper, lower = np.expm1(np.random.normal(0, self.limbs, 3))
        for (shoulder, elbow, wrist, hand), other in zip(ARMS, SHOULDERS[::-1]):
            change = width / 2 * way(other, shoulder)
            xy[:, shoulder] += change
            change = change + upper * way(shoulder, elbow)
            xy[:, elbow] += change
            change = change + lower * way(elbow, wrist)
            xy[:, wrist] += change
            xy[:, hand] += change[:, None]
            size = np.expm1(np.random.normal(0, self.hands))
            for point in range(hand.start + 1, hand.stop):
                xy[:, point] += size * way(hand.start, point)
        xy[:, HEAD] += np.random.normal(0, self.head, 2) * results['crop_box'][2:]
        xy[~found] = before[~found]
        results['keypoints'] = points
        return results


@TRANSFORMS.register_module()
class DropPoints(BaseTransform):
    """What an estimator does: noise, points that are lost, hands that are lost.

    Reads ``crop_box``, changes ``keypoints`` (T, K, 3): a lost point has score 0 and
    lies outside of the box, where its heatmap is empty.

    Args:
        noise: Standard deviation of every point's place in every frame.
        points: Probability that a point is lost in a frame.
        hands: Probability that a hand is lost for a while, up to half of the clip.
    """

    def __init__(
        self, noise: float = 0.005, points: float = 0.1, hands: float = 0.5
    ) -> None:
        _check(self, noise=noise, points=points, hands=hands)
        if max(points, hands) > 1:
            raise ConfigError(
                f'DropPoints: points={points} and hands={hands} are probabilities'
            )
        self.noise, self.points, self.hands = noise, points, hands

    def transform(self, results: dict) -> dict:
        points = _taken(self, results, 'keypoints')
        frames = len(points)
        x0, y0, *sides = results['crop_box']
        lost = np.random.uniform(size=points.shape[:2]) < self.points
        noise = np.random.normal(0, self.noise, (*points.shape[:2], 2)) * sides
        points[..., :2] += noise * _found(points)[..., None]
        for hand in HANDS:
            if np.random.uniform() < self.hands:
                length = np.random.randint(max(1, frames // 2)) + 1
                start = np.random.randint(frames)
                lost[start : start + length, hand] = True
        points[lost] = x0 - 2 * sides[0], y0 - 2 * sides[1], 0
        results['keypoints'] = points
        return results


@TRANSFORMS.register_module()
class ClipErase(BaseTransform):
    """Cover a rectangle of the picture, the same in all frames, with its mean colour.

    Changes ``frames`` (T, S, S, 3) uint8.

    Args:
        prob: Probability.
        area: Range of the share of the picture that is covered.
    """

    def __init__(
        self, prob: float = 0.5, area: tuple[float, float] = (0.02, 0.15)
    ) -> None:
        if not (0 <= prob <= 1 and 0 < area[0] <= area[1] <= 1):
            raise ConfigError(
                'ClipErase: prob must be in [0, 1] and area a range 0 < a <= b <= 1, '
                f'not {prob} and {area}'
            )
        self.prob, self.area = prob, area

    def transform(self, results: dict) -> dict:
        if np.random.uniform() >= self.prob:
            return results
        frames = _taken(self, results, 'frames')
        height, width = frames.shape[1:3]
        area = np.random.uniform(*self.area)
        aspect = np.exp(np.random.uniform(-0.7, 0.7))
        h = min(height, max(1, round(height * np.sqrt(area / aspect))))
        w = min(width, max(1, round(width * np.sqrt(area * aspect))))
        y = np.random.randint(height - h + 1)
        x = np.random.randint(width - w + 1)
        frames[:, y : y + h, x : x + w] = frames.mean((0, 1, 2)).round()
        results['frames'] = frames
        return results
