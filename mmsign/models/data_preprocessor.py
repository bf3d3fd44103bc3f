"""Device side of the input: pad, normalise, draw heatmaps.

Symbols: B clips, T frames of the longest clip, S video size, K keypoints,
s heatmap size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmsign import compat
from mmsign.keypoints import SELECTED_79

from .layers.heatmaps import draw_heatmaps
from .layers.reuse import ReusedMemory

_MEMORY_FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last_3d': torch.channels_last_3d,
}


@MODELS.register_module()
class SignDataPreprocessor(BaseDataPreprocessor):
    """Turn a list of packed clips into the network's two inputs.

    Clips are padded to the longest by repeating their last frame. Frames are
    scaled to [−1, 1]; heatmaps are drawn from the keypoints through the same
    crop box that the frames were cropped with. Under autocast both are written
    in its dtype at once.

    Args:
        video_size: S, side of the frames in pixels.
        heatmap_size: s, side of the heatmaps in pixels.
        sigma: Of the heatmaps, in pixels of the source frame.
        num_keypoints: K.
        score_threshold: See ``draw_heatmaps``; None ignores the scores.
        pad_multiple: Batches are padded to a multiple of this many frames. Few
            different lengths let a CPU's kernels be built once, and cuDNN's
            choices be reused; lengths stay what they are.
        memory_format: ``contiguous`` or ``channels_last_3d``; the recognizer
            keeps its convolution weights in the same format.
        non_blocking: Copy to the device asynchronously (with pinned memory).
    """

    def __init__(
        self,
        video_size: int = 224,
        heatmap_size: int = 112,
        sigma: float = 8.0,
        num_keypoints: int = len(SELECTED_79),
        score_threshold: float | None = None,
        pad_multiple: int = 1,
        memory_format: str = 'contiguous',
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        if memory_format not in _MEMORY_FORMATS:
            raise ValueError(
                f'memory_format must be one of {sorted(_MEMORY_FORMATS)}, '
                f'not {memory_format!r}'
            )
        self.video_size = video_size
        self.heatmap_size = heatmap_size
        self.sigma = sigma
        self.num_keypoints = num_keypoints
        self.score_threshold = score_threshold
        self.pad_multiple = pad_multiple
        self.memory_format = _MEMORY_FORMATS[memory_format]
        self._memory = ReusedMemory()

    def input_shape(self, key: str) -> tuple[int, tuple[int, int]]:
        """Channels and (height, width) of the input ``video`` or ``heatmaps``."""
        if key == 'video':
            return 3, (self.video_size, self.video_size)
        return self.num_keypoints, (self.heatmap_size, self.heatmap_size)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` with lists ``video`` of uint8 (3, T_b, S, S)
                and/or ``keypoints`` of float (T_b, K, 3) in source pixels;
                ``data_samples``, one ``SignDataSample`` per clip.
            training: Unused; both modes prepare alike.

        Returns:
            ``inputs`` with ``video`` (B, 3, T, S, S) and/or ``heatmaps``
            (B, K, T, s, s) in [−1, 1], and ``data_samples``.

        Raises:
            ValueError: Naming the clip, if a frame or keypoint tensor has
                another shape than configured.
        """
        data = self.cast_data(data)
        samples = data['data_samples']
        clips = data['inputs']
        dtype = compat.autocast_dtype(self.device.type) or torch.float32
        inputs = {}
        if 'video' in clips:
            inputs['video'] = self._video(clips['video'], samples, dtype)
        if 'keypoints' in clips:
            inputs['heatmaps'] = self._heatmaps(clips['keypoints'], samples, dtype)
        return dict(inputs=inputs, data_samples=samples)

    def _padded(self, frames: int) -> int:
        return -(-frames // self.pad_multiple) * self.pad_multiple

    def _video(self, clips: Sequence[Tensor], samples, dtype: torch.dtype) -> Tensor:
        side = self.video_size
        longest = self._padded(max(clip.shape[1] for clip in clips))
        shape = len(clips), 3, longest, side, side
        out = self._memory.empty('video', shape, dtype, self.device, self.memory_format)
        for row, clip, sample in zip(out, clips, samples, strict=True):
            if clip.shape[0] != 3 or clip.shape[2:] != (side, side):
                raise ValueError(
                    f'clip {sample.clip_id}: frames of shape {tuple(clip.shape)}, '
                    f'the network expects (3, T, {side}, {side}); set the same '
                    'size in ClipResize and in the data preprocessor'
                )
            row[:, : clip.shape[1]] = clip
            row[:, clip.shape[1] :] = clip[:, -1:]
        return out.mul_(2 / 255).sub_(1)

    def _heatmaps(self, clips: Sequence[Tensor], samples, dtype: torch.dtype) -> Tensor:
        longest = self._padded(max(clip.shape[0] for clip in clips))
        keypoints = torch.empty(
            (len(clips), longest, self.num_keypoints, 3), device=self.device
        )
        for row, clip, sample in zip(keypoints, clips, samples, strict=True):
            if clip.shape[1:] != (self.num_keypoints, 3):
                raise ValueError(
                    f'clip {sample.clip_id}: keypoints of shape '
                    f'{tuple(clip.shape)}, the network expects '
                    f'(T, {self.num_keypoints}, 3)'
                )
            row[: clip.shape[0]] = clip
            row[clip.shape[0] :] = clip[-1:]
        boxes = torch.tensor(
            [tuple(map(float, sample.crop_box)) for sample in samples],
            device=self.device,
        )
        size = self.heatmap_size, self.heatmap_size
        shape = len(clips), self.num_keypoints, longest, *size
        return draw_heatmaps(
            keypoints,
            boxes,
            size,
            sigma=self.sigma,
            score_threshold=self.score_threshold,
            dtype=dtype,
            memory_format=self.memory_format,
            out=self._memory.empty(
                'heatmaps', shape, dtype, self.device, self.memory_format
            ),
        )
