"""From a clip and its keypoints to what the network takes.

The config's own test pipeline decides the geometry. Its first step, which opens the
files of a corpus, is replaced by the clip at hand; frames are decoded, cropped and
resized a few at a time, so that a video of any resolution fits into memory.

Symbols: T frames that the network sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch

from mmsign.datasets.transforms import DecodeClip, LoadClip, PackClip, SampleClip
from mmsign.errors import ConfigError

from .clips import Clip

# Memory for frames as they are in the file, in bytes.
CHUNK_BYTES = 64 << 20


@dataclass
class PreparedClip:
    """One clip, ready for the data preprocessor.

    Attributes:
        inputs: ``video`` uint8 (3, T, S, S) and/or ``keypoints`` (T, 79, 3).
        sample: Its data sample.
        frame_times: (T,) seconds of the frames that were taken.
        frame_seconds: How long each is shown.
        translations: Sentences by output, written by a network that translates.
    """

    inputs: dict[str, torch.Tensor]
    sample: object
    frame_times: np.ndarray
    frame_seconds: float
    translations: dict[str, str] = field(default_factory=dict)


class Pipeline:
    """The test pipeline, taken apart.

    Args:
        transforms: Built; LoadClip first, then SampleClip, with DecodeClip if
            frames are used, PackClip last.

    Attributes:
        needs_frames, needs_keypoints: What the network looks at.
        max_length: The most frames it takes at once.
        stride: Frames are taken in multiples of it.

    Raises:
        ValueError: If the pipeline is of another shape.
    """

    def __init__(self, transforms: list) -> None:
        kinds = [type(step) for step in transforms]
        if kinds[:2] != [LoadClip, SampleClip] or kinds[-1] is not PackClip:
            raise ConfigError(
                'inference needs a test pipeline of LoadClip, SampleClip, …, PackClip; '
                f'this one has {", ".join(kind.__name__ for kind in kinds)}'
            )
        load, self._sample = transforms[:2]
        self.needs_frames, self.needs_keypoints = load.frames, load.keypoints
        self.max_length, self.stride = self._sample.max_length, self._sample.stride
        steps = transforms[2:-1]
        self._pack = transforms[-1]
        self._frame_steps = [step for step in steps if not isinstance(step, DecodeClip)]
        if self.needs_frames == (len(self._frame_steps) == len(steps)):
            raise ConfigError(
                'the test pipeline must decode frames (DecodeClip) if and only if '
                'LoadClip opens them'
            )

    def choose(self, results: dict) -> dict:
        """Run SampleClip: ``frame_indices`` and the ``keypoints`` there."""
        return self._sample(results)

    def look(self, results: dict, frames: np.ndarray | None) -> dict:
        """Run the steps between: crop box, crop, resize.

        Args:
            results: Of ``choose``.
            frames: (n, H, W, 3), any part of the clip, or None.
        """
        part = dict(results)
        if frames is not None:
            part['frames'] = frames
        for step in self._frame_steps:
            part = step(part)
        return part

    def pack(self, results: dict) -> tuple[dict[str, torch.Tensor], object]:
        """Run PackClip: inputs and data sample."""
        packed = self._pack(results)
        return packed['inputs'], packed['data_samples']


def clip_record(clip: Clip, keypoints: np.ndarray | None) -> dict:
    """What LoadClip would have written.

    Args:
        clip: The clip, resampled.
        keypoints: (M, 79, 3) at the clip's chosen frames, or None.
    """
    width, height = clip.source.frame_size
    results = dict(
        clip_id=clip.name,
        signer='',
        glosses=[],
        text=None,
        frames=clip.name,
        num_frames=len(clip.times),
        frame_size=(width, height),
        crop_box=(0.0, 0.0, float(width), float(height)),
    )
    if keypoints is not None:
        results['keypoints'] = keypoints
    return results


def prepare_clip(
    pipeline: Pipeline,
    clip: Clip,
    keypoints: np.ndarray | None,
    frame_size: tuple[int, int] | None,
) -> PreparedClip:
    """Run the pipeline over a clip.

    Args:
        pipeline: Of the network.
        clip: Resampled already.
        keypoints: (M, 79, 3) at the clip's chosen frames, or None.
        frame_size: (width, height) of the training corpus's frames, in whose
            pixels the heatmaps' sigma is measured; None takes the clip's own.
    """
    results = pipeline.choose(clip_record(clip, keypoints))
    indices = results['frame_indices']
    if pipeline.needs_frames:
        source = indices if clip.indices is None else clip.indices[indices]
        done = []
        for frames in _chunks(clip, source):
            part = pipeline.look(results, frames)
            done.append(part['frames'])
        results = dict(part, frames=done[0] if len(done) == 1 else np.concatenate(done))
    else:
        results = pipeline.look(results, None)
    inputs, sample = pipeline.pack(results)
    fit_heatmaps(inputs, sample, frame_size)
    return PreparedClip(inputs, sample, clip.times[indices], clip.frame_seconds)


def _chunks(clip: Clip, indices: np.ndarray) -> Iterator[np.ndarray]:
    width, height = clip.source.frame_size
    size = max(1, CHUNK_BYTES // (3 * width * height))
    frames = clip.source.stream(indices)
    while chunk := list(islice(frames, size)):
        yield np.stack(chunk)


def fit_heatmaps(inputs: dict, sample, frame_size: tuple[int, int] | None) -> None:
    """Measure keypoints and crop box in pixels of the training corpus's frames.

    The heatmaps' sigma is: in a video of another resolution the blobs would come
    out smaller or larger than anything the network was trained on. Changes
    ``inputs`` and ``sample`` in place; nothing if the sizes are equal.
    """
    if 'keypoints' not in inputs or frame_size in (None, tuple(sample.frame_size)):
        return
    scale = np.asarray(frame_size, float) / sample.frame_size
    keypoints = inputs['keypoints'].clone()
    factors = torch.tensor(scale, dtype=keypoints.dtype)
    # Pixel centres lie at whole numbers, borders half a pixel away from them.
    keypoints[..., :2] = (keypoints[..., :2] + 0.5) * factors - 0.5
    inputs['keypoints'] = keypoints
    box = np.asarray(sample.crop_box) * np.concatenate([scale, scale])
    sample.set_metainfo(dict(crop_box=tuple(map(float, box))))
