"""From a clip and its keypoints to what the network takes.

The config's own test pipeline decides the geometry. Its first step, which opens the
files of a corpus, is replaced by the clip at hand; frames are decoded, cropped and
resized a few at a time, so that a video of any resolution fits into memory.

Symbols: T frames that the network sees, S side of its frames in pixels.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch

from mmsign.datasets.transforms import (
    DecodeClip,
    HoldLast,
    LoadClip,
    PackClip,
    SampleClip,
    SignerCrop,
)
from mmsign.errors import ClipError, ConfigError

from .clips import Clip

# Memory for frames as they are in the file, in bytes.
CHUNK_BYTES = 64 << 20


class Pipeline:
    """The test pipeline, taken apart.

    Args:
        transforms: Built; LoadClip first, then SampleClip, with DecodeClip if
            frames are used, PackClip last, perhaps behind HoldLast.
        frame_size: (width, height) of the training corpus's frames, in whose pixels
            the heatmaps' sigma is measured; None takes the clip's own.

    Attributes:
        needs_frames, needs_keypoints: What the network looks at.
        face: Whose points of the face are among its 79, see ``keypoints.FACES``.
        max_length: The most frames it takes at once.
        stride: Frames are taken in multiples of it.
        looks_at_keypoints: Whether where to look follows from the keypoints of all
            frames that the network sees at once.
        repeats: How often the last of a number of frames is repeated.
        held: How many frames the last one is held for.
        crops: The steps between, but for DecodeClip: crop box, crop, resize.

    Raises:
        ConfigError: If the pipeline is of another shape, or holds the last frame for
            no multiple of ``stride``.
    """

    def __init__(
        self, transforms: list, frame_size: Sequence[int] | None = None
    ) -> None:
        kinds = [type(step) for step in transforms]
        samples = len(kinds) > 1 and issubclass(kinds[1], SampleClip)
        if not samples or (kinds[0], kinds[-1]) != (LoadClip, PackClip):
            found = ', '.join(kind.__name__ for kind in kinds)
            raise ConfigError(
                f'expected transforms LoadClip, SampleClip, …, PackClip; found {found}'
            )
        load, self._sample, *steps, self._pack = transforms
        self.needs_frames, self.needs_keypoints = load.frames, load.keypoints
        self.face = load.face
        self.max_length, self.stride = self._sample.max_length, self._sample.stride
        self.repeats = self._sample.repeats
        self.frame_size = None if frame_size is None else tuple(map(int, frame_size))
        self._hold = steps.pop() if steps and type(steps[-1]) is HoldLast else None
        self.held = 0 if self._hold is None else self._hold.frames
        self.looks_at_keypoints = any(isinstance(s, SignerCrop) for s in steps)
        if self.held % self.stride or any(isinstance(s, HoldLast) for s in steps):
            raise ConfigError(
                'expected HoldLast right before PackClip, and its frames in multiples '
                f"of SampleClip's stride, {self.stride}"
            )
        self.crops = [step for step in steps if not isinstance(step, DecodeClip)]
        if self.needs_frames == (len(self.crops) == len(steps)):
            raise ConfigError(
                'expected DecodeClip if and only if LoadClip opens frames'
            )

    def check(self, clip: Clip) -> None:
        """Raise ClipError if the network looks at frames and the clip has none."""
        if self.needs_frames and clip.own_keypoints is not None:
            raise ClipError(
                f'{clip.name}: keypoints alone, but the network looks at frames; give '
                'it the video'
            )

    def prepare(self, clip: Clip, keypoints: np.ndarray | None) -> dict:
        """Run the pipeline over a clip.

        Args:
            clip: At the rate of training.
            keypoints: (M, 79, 3) at the clip's chosen frames, or None.

        Returns:
            What a dataset would give: ``inputs`` with ``video`` uint8 (3, T, S, S)
            and/or ``keypoints`` (T, 79, 3); and ``data_samples``, its data sample.
        """
        results = self.record(clip.name, clip.source.source_size)
        results['num_frames'] = len(clip.times)
        if keypoints is not None:
            results['keypoints'] = keypoints
        results = self._sample(results)
        if not self.needs_frames:
            return self.pack(self.look(results), is_end=True)
        width, height = clip.source.frame_size
        size = max(1, CHUNK_BYTES // (3 * width * height))
        frames = clip.source.stream(clip.chosen[results['frame_indices']])
        done = []
        while chunk := list(islice(frames, size)):
            part = self.look(results, np.stack(chunk))
            done.append(part['frames'])
        return self.pack(dict(part, frames=np.concatenate(done)), is_end=True)

    @staticmethod
    def record(name: str, frame_size: tuple[int, int]) -> dict:
        """What LoadClip would have written of a clip; without ``num_frames``."""
        record = dict(clip_id=name, signer='', glosses=[], text=None, frames=name)
        box = 0.0, 0.0, *map(float, frame_size)
        return record | dict(frame_size=frame_size, crop_box=box)

    def look(self, results: dict, frames: np.ndarray | None = None) -> dict:
        """Run the steps between: crop box, crop, resize.

        Args:
            results: Of ``record``; with the keypoints of all frames that the network
                sees at once, if it ``looks_at_keypoints``.
            frames: (n, H, W, 3), any part of the clip; None takes what the results
                have.
        """
        part = results | ({} if frames is None else dict(frames=frames))
        for step in self.crops:
            part = step(part)
        return part

    def pack(self, results: dict, is_end: bool) -> dict:
        """Run PackClip, and measure keypoints in pixels of the training corpus.

        Behind the end of a clip its last frame is held, if the pipeline does so.

        The heatmaps' sigma is measured so: in a video of another resolution the blobs
        would come out smaller or larger than anything the network was trained on.
        """
        if is_end and self._hold is not None:
            results = self._hold(dict(results))
        packed = self._pack(results)
        inputs, sample = packed['inputs'], packed['data_samples']
        is_known = self.frame_size in (None, tuple(sample.frame_size))
        if 'keypoints' in inputs and not is_known:
            scale = np.asarray(self.frame_size, float) / sample.frame_size
            keypoints = inputs['keypoints'].clone()
            factors = torch.tensor(scale, dtype=keypoints.dtype)
            # Pixel centres lie at whole numbers, borders half a pixel away from them.
            keypoints[..., :2] = (keypoints[..., :2] + 0.5) * factors - 0.5
            inputs['keypoints'] = keypoints
            box = np.asarray(sample.crop_box) * np.tile(scale, 2)
            box = tuple(map(float, box))
            sample.set_metainfo(dict(crop_box=box, frame_size=self.frame_size))
        return packed
