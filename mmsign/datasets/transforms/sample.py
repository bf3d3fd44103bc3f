"""Decide which frames of a clip to look at, and which part of them: one box per clip.

Sampling in time is docs/method.md#sampling-cropping-and-padding. The box is
``(x0, y0, width, height)`` in pixels of the source frame, whole numbers written as
floats: pixel x0 is the first inside. Frames are cropped when they are resized,
keypoints when their heatmaps are drawn.

Symbols: N frames of the source, T frames after sampling, L length drawn.
"""

import math

import numpy as np
from mmcv.transforms import BaseTransform

from mmsign.errors import ConfigError
from mmsign.keypoints import PARTS
from mmsign.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SampleClip(BaseTransform):
    """Choose the frames of a clip.

    Training changes the speed: L is uniform in [⌊a·N⌋, min(max_length, ⌊b·N⌋)] for
    ``scale`` (a, b), rounded up to a multiple of ``stride``. If L ≤ N, L distinct
    frames are drawn, else all N and L − N repeats of them; always in order.
    Testing takes at most max_length frames from the middle, then drops the last
    few so that a multiple of ``stride`` remains.
    A clip of fewer than ``stride`` frames is padded by repeating its last.

    All this among every n-th frame alone if the corpus is seen so, by a ``step`` n;
    N then counts these.

    Reads ``num_frames``, ``step`` and, if there, ``keypoints`` (N, K, 3). Writes
    ``frame_indices`` (T,) int64, sorted, and ``keypoints`` (T, K, 3).

    Args:
        scale: Range of speeds (a, b); L is a to b times N.
        max_length: Largest T, in frames; a multiple of stride.
        stride: T is a multiple of it: the temporal stride of the network.
        test: Whether to take the clip as it is.

    Examples:
        >>> SampleClip(test=True).transform(dict(num_frames=10))['frame_indices']
        array([0, 1, 2, 3, 4, 5, 6, 7])
        >>> SampleClip(test=True).transform(dict(num_frames=3))['frame_indices']
        array([0, 1, 2, 2])
        >>> clip = dict(num_frames=15, step=2)
        >>> SampleClip(test=True).transform(clip)['frame_indices']
        array([ 0,  2,  4,  6,  8, 10, 12, 14])
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.5, 1.5),
        max_length: int = 400,
        stride: int = 4,
        test: bool = False,
    ) -> None:
        if not 0 < scale[0] <= scale[1]:
            raise ConfigError(f'SampleClip: scale must be 0 < a <= b, not {scale}')
        if not 1 <= stride <= max_length or max_length % stride:
            raise ConfigError(
                f'SampleClip: max_length {max_length} is no multiple of stride {stride}'
            )
        self.scale, self.max_length = scale, max_length
        self.stride, self.test = stride, test

    def transform(self, results: dict) -> dict:
        step = results.get('step', 1)
        num_frames = -(-results['num_frames'] // step)
        if num_frames < 1:
            raise ConfigError(f'clip {results["clip_id"]} has no frames')
        indices = self._chosen(num_frames) * step
        results['frame_indices'] = indices.astype(np.int64)
        if 'keypoints' in results:
            results['keypoints'] = results['keypoints'][indices]
        return results

    def repeats(self, num_frames: int) -> int:
        """How often the last of so many frames is repeated in testing."""
        return max(0, self.stride - num_frames)

    def _chosen(self, num_frames: int) -> np.ndarray:
        if self.test or num_frames < self.stride:
            return self._middle(num_frames)
        return self._draw(num_frames)

    def _middle(self, num_frames: int) -> np.ndarray:
        length = min(num_frames, self.max_length)
        start = (num_frames - length) // 2
        length += self.repeats(length)
        indices = start + np.arange(length - length % self.stride)
        return np.minimum(indices, num_frames - 1)

    def _draw(self, num_frames: int) -> np.ndarray:
        length = self._length(num_frames)
        if length <= num_frames:
            return np.sort(np.random.permutation(num_frames)[:length])
        repeats = np.random.randint(0, num_frames, length - num_frames)
        return np.sort(np.concatenate([np.arange(num_frames), repeats]))

    def _length(self, num_frames: int) -> int:
        longest = max(1, min(self.max_length, int(self.scale[1] * num_frames)))
        shortest = min(max(1, int(self.scale[0] * num_frames)), longest)
        length = np.random.randint(shortest, longest + 1)
        return length + -length % self.stride


@TRANSFORMS.register_module()
class SampleRescaled(SampleClip):
    """``SampleClip`` as VAC and its followers have it: no frame of a test clip is lost.

    In training L is a·N to b·N, uniform, at least ``min_length`` and at most
    ``max_length``, rounded up to a multiple of ``stride``. If L ≤ N, L distinct frames
    are drawn, else L of them with repeats, so that some may be missing; in order.
    In testing the last frame is repeated until a multiple of ``stride`` is full.

    Args:
        min_length: Least L, in frames.
        **kwargs: Of ``SampleClip``.

    Examples:
        >>> SampleRescaled(test=True).transform(dict(num_frames=6))['frame_indices']
        array([0, 1, 2, 3, 4, 5, 5, 5])
    """

    def __init__(
        self,
        scale: tuple[float, float] = (0.8, 1.2),
        max_length: int = 232,
        min_length: int = 32,
        **kwargs,
    ) -> None:
        super().__init__(scale=scale, max_length=max_length, **kwargs)
        if not 1 <= min_length <= max_length:
            raise ConfigError(
                f'SampleRescaled: min_length={min_length} must be 1 to max_length, '
                f'{max_length}'
            )
        self.min_length = min_length

    def repeats(self, num_frames: int) -> int:
        """As in ``SampleClip``."""
        return -num_frames % self.stride

    def _chosen(self, num_frames: int) -> np.ndarray:
        return self._middle(num_frames) if self.test else self._draw(num_frames)

    def _draw(self, num_frames: int) -> np.ndarray:
        length = int(num_frames * np.random.uniform(*self.scale))
        length = min(max(length, self.min_length), self.max_length)
        length += -length % self.stride
        is_shorter = length <= num_frames
        return np.sort(np.random.choice(num_frames, length, replace=not is_shorter))


@TRANSFORMS.register_module()
class SampleRhythm(SampleClip):
    """``SampleClip`` with a rhythm: within a clip, too, some parts are faster.

    In training the speed at each of the L places is the exponential of a line through
    normal numbers, about one every ``period`` places, and the nearest frames are taken,
    the clip's first and last among them.

    Args:
        rhythm: Standard deviation of the logarithm of the speed.
        period: Places between two of its numbers, in frames.
        **kwargs: Of ``SampleClip``.
    """

    def __init__(self, rhythm: float = 0.3, period: int = 6, **kwargs) -> None:
        super().__init__(**kwargs)
        if rhythm < 0 or period < 1:
            raise ConfigError(
                f'SampleRhythm: rhythm={rhythm} is negative or period={period} is '
                'not positive'
            )
        self.rhythm, self.period = rhythm, period

    def _draw(self, num_frames: int) -> np.ndarray:
        length = self._length(num_frames)
        knots = np.random.normal(0, self.rhythm, 2 + length // self.period)
        places = np.linspace(0, len(knots) - 1, length - 1)
        speed = np.exp(np.interp(places, np.arange(len(knots)), knots))
        passed = np.append(0.0, np.cumsum(speed))
        # A single place has passed nothing: it is the first frame.
        passed *= (num_frames - 1) / (passed[-1] or 1.0)
        return np.rint(passed).astype(np.int64)


def per_frame(results: dict) -> dict[str, np.ndarray]:
    """What a clip has for each of its T frames.

    Returns:
        ``frame_indices`` (T,), ``keypoints`` (T, K, 3) and ``frames`` (T, …), as far as
        they are there; ``frames`` is a path until they are decoded.
    """
    found = {key: results.get(key, '') for key in _PER_FRAME}
    return {key: x for key, x in found.items() if not isinstance(x, str)}


_PER_FRAME = ('frame_indices', 'keypoints', 'frames')


@TRANSFORMS.register_module()
class ShiftStart(BaseTransform):
    """Begin a clip of one sign, or none, later or sooner, as signers do.

    Without it, a network learns from clips that are cut alike to look for a sign at a
    certain time. In every second clip the first frame stands for up to ``hold`` more,
    in half of these with no hand found (scores of 0); of the others up to ``cut`` first
    frames are left out, a fifth of the clip at most. Each number is as likely.
    Sentences stay as they are: their signs begin at all times anyway.

    Reads ``glosses``, changes ``frame_indices`` (T,), ``keypoints`` and ``frames``
    (T, …), as far as they are there. For training; a test with it tells what waiting
    costs.

    Args:
        hold: Frames.
        cut: Frames.

    Raises:
        ConfigError: If one is negative.

    Examples:
        >>> shifted = ShiftStart(2, 0).transform(dict(frame_indices=np.arange(4)))
        >>> shifted['frame_indices'][-4:]
        array([0, 1, 2, 3])
    """

    def __init__(self, hold: int = 20, cut: int = 5) -> None:
        if hold < 0 or cut < 0:
            raise ConfigError(
                f'ShiftStart: hold={hold} and cut={cut} are numbers of frames'
            )
        self.hold, self.cut = hold, cut

    def transform(self, results: dict) -> dict:
        if len(results.get('glosses', ())) > 1:
            return results
        later, out_of_sight = np.random.random(2) < 0.5
        held = np.random.randint(self.hold + 1)
        left_out = np.random.randint(self.cut + 1)
        for key, x in per_frame(results).items():
            if later:
                results[key] = np.concatenate([np.repeat(x[:1], held, axis=0), x])
            else:
                results[key] = x[min(left_out, len(x) // 5) :]
        if later and out_of_sight and 'keypoints' in results:
            results['keypoints'][:held, PARTS['hands'], 2] = 0
        return results


@TRANSFORMS.register_module()
class HoldLast(BaseTransform):
    """Let the last frame stand for a while, as if the signer came to rest.

    The last sign of a clip that is cut close has nothing behind it by which a network
    could tell that it is over, and its last output step sees what convolutions pad
    with. In training and testing alike, the clip then ends with ``frames`` repeats of
    its last frame, which belong to it: what is recognized there has the time of the
    last frame.

    Changes ``frame_indices`` (T,), ``keypoints`` and ``frames`` (T, …), as far as they
    are there; the last before PackClip.

    Args:
        frames: Repeats, a multiple of the sampling's stride.

    Examples:
        >>> HoldLast(2).transform(dict(frame_indices=np.arange(4)))['frame_indices']
        array([0, 1, 2, 3, 3, 3])
    """

    def __init__(self, frames: int = 8) -> None:
        if frames < 1:
            raise ConfigError(f'HoldLast: frames must be positive, not {frames}')
        self.frames = frames

    def transform(self, results: dict) -> dict:
        for key, x in per_frame(results).items():
            results[key] = np.concatenate([x, np.repeat(x[-1:], self.frames, axis=0)])
        return results


_TRIES = 10


@TRANSFORMS.register_module()
class ClipRandomCrop(BaseTransform):
    """A box of random size, shape and place, the usual random resized crop.

    Reads ``frame_size``, writes ``crop_box``.

    Args:
        area: Range of the box's share of the frame's area.
        aspect: Range of its width over its height, uniform in the logarithm. A
            frame into which no drawn shape fits is cropped centrally, as
            little as the range allows.
    """

    def __init__(
        self,
        area: tuple[float, float] = (0.7, 1.0),
        aspect: tuple[float, float] = (0.75, 1.3),
    ) -> None:
        if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1]):
            raise ConfigError(
                'ClipRandomCrop: area and aspect are ranges 0 < a <= b, of an area at '
                f'most 1, not {area} and {aspect}'
            )
        self.area, self.aspect = area, aspect

    def transform(self, results: dict) -> dict:
        frame_w, frame_h = results['frame_size']
        for _ in range(_TRIES):
            area = np.random.uniform(*self.area) * frame_w * frame_h
            aspect = math.exp(np.random.uniform(*np.log(self.aspect)))
            width = round(math.sqrt(area * aspect))
            height = round(math.sqrt(area / aspect))
            if 0 < width <= frame_w and 0 < height <= frame_h:
                x0 = np.random.randint(frame_w - width + 1)
                y0 = np.random.randint(frame_h - height + 1)
                results['crop_box'] = tuple(map(float, (x0, y0, width, height)))
                return results
        aspect = min(max(frame_w / frame_h, self.aspect[0]), self.aspect[1])
        width = max(1, min(frame_w, round(frame_h * aspect)))
        height = max(1, min(frame_h, round(frame_w / aspect)))
        return _central(results, width, height)


@TRANSFORMS.register_module()
class ClipCenterCrop(BaseTransform):
    """The box in the middle, of the frame's own shape.

    Reads ``frame_size``, writes ``crop_box``.

    Args:
        fraction: Of the frame's sides that remains; 1 is the whole frame. Frames
            made for a crop of 270 out of 320 pixels take 270/320 whatever their
            size on disk.

    Examples:
        >>> crop = ClipCenterCrop(fraction=270 / 320)
        >>> crop.transform(dict(frame_size=(512, 512)))['crop_box']
        (40.0, 40.0, 432.0, 432.0)
    """

    def __init__(self, fraction: float = 1.0) -> None:
        if not 0 < fraction <= 1:
            raise ConfigError(f'ClipCenterCrop: fraction {fraction} is not in (0, 1]')
        self.fraction = fraction

    def transform(self, results: dict) -> dict:
        sides = (max(1, round(self.fraction * s)) for s in results['frame_size'])
        return _central(results, *sides)


@TRANSFORMS.register_module()
class ClipFixedCrop(ClipCenterCrop):
    """A box as large as that of ``ClipCenterCrop``, anywhere in the frame.

    Reads ``frame_size``, writes ``crop_box``. Crops of 224 pixels out of frames that
    were made 256 wide and high are a fraction of 224/256.

    Args:
        fraction: Of the frame's sides that remains.
    """

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        width, height = results['crop_box'][2:]
        frame_w, frame_h = results['frame_size']
        x0 = np.random.randint(frame_w - int(width) + 1)
        y0 = np.random.randint(frame_h - int(height) + 1)
        results['crop_box'] = (float(x0), float(y0), width, height)
        return results


def _central(results: dict, width: int, height: int) -> dict:
    frame_w, frame_h = results['frame_size']
    x0, y0 = (frame_w - width) // 2, (frame_h - height) // 2
    results['crop_box'] = tuple(map(float, (x0, y0, width, height)))
    return results
