"""Device side of the input: pad, normalise, draw heatmaps or scale keypoints.

Symbols: B clips, T frames of the longest clip, S video size, K keypoints,
s heatmap size.
"""

from collections.abc import Collection, Iterable, Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.keypoints import SELECTED_79, channels_of
from mmsign.registry import MODELS

from .layers.heatmaps import draw_heatmaps
from .layers.reuse import ReusedMemory
from .layers.sequence import length_mask, upload
from .layers.volume import MEMORY_FORMATS

KEYPOINT_INPUTS = ('heatmaps', 'points', 'masked_points')
_NEVER = 1 << 30  # behind every frame


@MODELS.register_module()
class SignDataPreprocessor(BaseDataPreprocessor):
    """Turn a list of packed clips into the network's two inputs.

    Clips are padded to the longest by repeating their last frame. Frames are
    normalised; heatmaps are drawn from the keypoints through the same crop box
    that the frames were cropped with. Under autocast both are written in its dtype
    at once. A network of points gets the keypoints themselves, x and y in the crop box
    from −1 to 1.

    Args:
        video_size: S, side of the frames in pixels.
        heatmap_size: s, side of the heatmaps in pixels.
        sigma: Of the heatmaps, in pixels of the source frame. None takes 8 pixels of
            a frame 210 wide, as the paper has it, and the same share of any other.
        keypoints: Which of the 79 are seen: parts, names or channels, see
            ``keypoints.channels_of``; None for all. Those that are given always are
            the 79.
        score_threshold: See ``draw_heatmaps``; None ignores the scores.
        heatmap_range: Values of a heatmap far from its keypoint and at it. The
            published weights expect (−1, 1). Trained from scratch, (0, 1) learns
            faster: where nothing is drawn, the maps then equal the zeros that
            convolutions pad with, and borders look like any other place.
        pad_multiple: Batches are padded to a multiple of this many frames. Few
            different lengths let a CPU's kernels be built once, and cuDNN's
            choices be reused; lengths stay what they are.
        min_padding: Every clip is padded by this many frames at least. What lies behind
            a clip reaches its last output steps: with a few frames it is always its
            last frame, whatever the clip is batched with, and never the zeros that
            convolutions pad with.
        keypoint_input: What the keypoint stream sees: ``heatmaps``, ``points``, or
            ``masked_points``, which say of each frame whether it is the clip's.
        video_mean, video_std: Per channel, in the units of a pixel (0 to 255); a
            frame x becomes (x − mean)/std. The defaults scale to [−1, 1], as S3D's
            published weights expect it; MMAction2's networks name theirs in their
            configs.
        video_rgb: Whether the network expects RGB, as MMAction2's do; S3D's
            published weights expect BGR.
        memory_format: In which MMAction2's backbones get their input and keep their
            weights, ``contiguous`` or ``channels_last_3d``. mmsign's own have one
            memory, see ``layers.volume``; points are always contiguous.
        non_blocking: Copy to the device without waiting, from pinned memory.
        num_keypoints: K, as configs of earlier versions name it; it follows from
            ``keypoints`` and must agree.

    Attributes:
        channels: (K,) which of the 79 are seen.
        read: The inputs to prepare; a recognizer names what its streams read.
    """

    def __init__(
        self,
        video_size: int = 224,
        heatmap_size: int = 112,
        sigma: float | None = 8.0,
        keypoints: Sequence[str | int] | str | None = None,
        score_threshold: float | None = None,
        heatmap_range: tuple[float, float] = (-1.0, 1.0),
        pad_multiple: int = 1,
        min_padding: int = 0,
        keypoint_input: str = 'heatmaps',
        video_mean: Sequence[float] = (127.5,) * 3,
        video_std: Sequence[float] = (127.5,) * 3,
        video_rgb: bool = False,
        memory_format: str = 'contiguous',
        non_blocking: bool = True,
        num_keypoints: int | None = None,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        self.channels = channels_of(keypoints)
        count = len(self.channels)
        ordered = len(heatmap_range) == 2 and heatmap_range[0] < heatmap_range[1]
        for name, given, right in (
            ('sigma', sigma, sigma is None or sigma > 0),
            ('heatmap_range', heatmap_range, ordered),
            ('pad_multiple', pad_multiple, pad_multiple >= 1),
            ('min_padding', min_padding, min_padding >= 0),
            ('memory_format', memory_format, memory_format in MEMORY_FORMATS),
            ('keypoint_input', keypoint_input, keypoint_input in KEYPOINT_INPUTS),
            ('video_mean', video_mean, len(video_mean) == 3),
            ('video_std', video_std, len(video_std) == 3 and min(video_std) > 0),
        ):
            if not right:
                raise ConfigError(
                    f'SignDataPreprocessor: {name}={given!r} is impossible'
                )
        if num_keypoints not in (None, count):
            raise ConfigError(
                f'SignDataPreprocessor: num_keypoints={num_keypoints}, but keypoints='
                f'{keypoints!r} are {count} of the 79; leave num_keypoints out'
            )
        self.video_size, self.heatmap_size = video_size, heatmap_size
        self.video_mean, self.video_std = tuple(video_mean), tuple(video_std)
        self.video_rgb = video_rgb
        self.keypoint_input, self.num_keypoints = keypoint_input, count
        chosen = torch.tensor(self.channels)
        self.register_buffer('_chosen', chosen, persistent=False)
        self.sigma, self.score_threshold = sigma, score_threshold
        self.heatmap_range = tuple(heatmap_range)
        self.pad_multiple, self.min_padding = pad_multiple, min_padding
        self.memory_format = MEMORY_FORMATS[memory_format]
        self._memory = ReusedMemory()
        self.read: Collection[str] = ('video', *KEYPOINT_INPUTS)

    def input_key(self, stream: str) -> str:
        """Name of the input that the ``video`` or ``keypoint`` stream reads."""
        return 'video' if stream == 'video' else self.keypoint_input

    def input_shape(self, key: str) -> tuple[int, tuple[int, int]]:
        """Channels and (height, width) of an input, ``video`` or one of keypoints.

        Points have x, y and score as channels and lie on a grid of K×1; masked ones
        have a fourth, 1 on the frames of the clip and 0 on padding.
        """
        if key == 'video':
            return 3, (self.video_size, self.video_size)
        if key != 'heatmaps':
            return 3 + (key == 'masked_points'), (self.num_keypoints, 1)
        return self.num_keypoints, (self.heatmap_size, self.heatmap_size)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` with lists ``video`` of uint8 (3, T_b, S, S)
                and/or ``keypoints`` of float (T_b, 79, 3) in source pixels;
                ``data_samples``, one ``SignDataSample`` per clip.
            training: Unused; both modes prepare alike.

        Returns:
            ``inputs`` with ``video`` (B, 3, T, S, S) and/or ``heatmaps``
            (B, K, T, s, s) in ``heatmap_range``, ``points`` (B, 3, T, K, 1) or
            ``masked_points`` (B, 4, T, K, 1), in float32 or autocast's dtype, the
            channels last in memory as ``ReusedMemory`` has it; and ``data_samples``.

        Raises:
            ValueError: Naming the clip, if a frame or keypoint tensor has
                another shape than configured.
        """
        data = self.cast_data(data)
        samples, clips = data['data_samples'], data['inputs']
        dtype = compat.autocast_dtype(self.device.type) or torch.float32
        inputs = {}
        if 'video' in clips and 'video' in self.read:
            inputs['video'] = self._video(clips['video'], samples, dtype)
        if 'keypoints' in clips and self.keypoint_input in self.read:
            keypoints, boxes = self._keypoints(clips['keypoints'], samples)
            settings = self._sigma(samples), dtype, self._memory
            inputs[self.keypoint_input] = self.seen(keypoints, boxes, *settings)
            if self.keypoint_input == 'masked_points':
                frames = [len(clip) for clip in clips['keypoints']]
                points = inputs[self.keypoint_input]
                inputs[self.keypoint_input] = _masked(points, frames)
        return dict(inputs=inputs, data_samples=samples)

    def seen(
        self,
        keypoints: Tensor,
        boxes: Tensor,
        sigma: float | Tensor,
        dtype: torch.dtype = torch.float32,
        memory: ReusedMemory | None = None,
    ) -> Tensor:
        """``heatmaps`` or ``points`` of keypoints, as the keypoint stream sees them.

        Args:
            keypoints: (B, T, 79, 3) in pixels.
            boxes: (B, 4) crop boxes.
            sigma: Of the heatmaps in pixels, of all clips or (B,) of each.
            dtype: Of the heatmaps.
            memory: To draw them into; None takes new memory.
        """
        if self.num_keypoints < len(SELECTED_79):
            keypoints = keypoints.index_select(2, self._chosen)
        if self.keypoint_input != 'heatmaps':
            return _in_box(keypoints, boxes)
        size, out = (self.heatmap_size, self.heatmap_size), None
        if memory is not None:
            shape = len(keypoints), self.num_keypoints, keypoints.shape[1], *size
            out = memory.empty('heatmaps', shape, dtype, self.device)
        settings = sigma, self.score_threshold, self.heatmap_range, dtype
        return draw_heatmaps(keypoints, boxes, size, *settings, out)

    def _padded(self, frames: Iterable[int]) -> int:
        padded = max(frames) + self.min_padding
        return -(-padded // self.pad_multiple) * self.pad_multiple

    def _video(self, clips: Sequence[Tensor], samples, dtype: torch.dtype) -> Tensor:
        longest = self._padded(clip.shape[1] for clip in clips)
        shape = len(clips), 3, longest, self.video_size, self.video_size
        out = self._memory.empty('video', shape, dtype, self.device)
        ordered = (clip.flip(0) if self.video_rgb else clip for clip in clips)
        _fill(out, ordered, samples, 'frames', 1)
        scales = list(zip(self.video_mean, self.video_std))
        # In one pass where all are alike.
        channels = [out] if len({*scales}) == 1 else out.split(1, dim=1)
        for channel, (mean, std) in zip(channels, scales):
            channel.mul_(1 / std).sub_(mean / std)
        return out

    def _keypoints(self, clips: Sequence[Tensor], samples) -> tuple[Tensor, Tensor]:
        """Padded keypoints (B, T, K, 3) and crop boxes (B, 4)."""
        longest = self._padded(clip.shape[0] for clip in clips)
        shape = len(clips), longest, len(SELECTED_79), 3
        keypoints = torch.empty(shape, device=self.device)
        _fill(keypoints, clips, samples, 'keypoints', 0)
        boxes = [tuple(map(float, sample.crop_box)) for sample in samples]
        return keypoints, upload(boxes, self.device)

    def _sigma(self, samples) -> float | Tensor:
        """Of all clips alike, or of each (B,)."""
        if self.sigma is not None:
            return self.sigma
        widths = (float(sample.frame_size[0]) for sample in samples)
        return upload([8 * width / 210 for width in widths], self.device)


def _fill(out: Tensor, clips: Iterable[Tensor], samples, what: str, time: int) -> None:
    """Copy clips, padded by their last frames; ``time`` is the axis of frames."""
    for row, clip, sample in zip(out, clips, samples, strict=True):
        frames = clip.shape[time]
        expected = *row.shape[:time], frames, *row.shape[time + 1 :]
        if clip.shape != expected:
            raise ConfigError(
                f'clip {sample.clip_id}: {what} of shape {tuple(clip.shape)}, expected '
                f'{expected}; set the same size in the pipeline and the model'
            )
        row, clip = row.movedim(time, 0), clip.movedim(time, 0)
        row[:frames] = clip
        row[frames:] = clip[-1:]


def _in_box(keypoints: Tensor, boxes: Tensor) -> Tensor:
    """Keypoints in pixels (B, T, K, 3) → x, y from −1 to 1 in the box, and score.

    A keypoint of score 0 was not found, and where it lies says nothing: it is where it
    was last seen before, or else first seen behind, in the clip, and in the middle of
    the box if it never was.

    Returns:
        (B, 3, T, K, 1)
    """
    origin, extent = boxes[:, None, None, :2], boxes[:, None, None, 2:]
    places = (keypoints[..., :2] - origin) * (2 / extent) - 1
    found = keypoints[..., 2:] > 0
    frames = places.shape[1]
    frame = torch.arange(frames, device=places.device)[:, None, None]
    last = _running_max(torch.where(found, frame, -1))
    first = -_running_max(torch.where(found, -frame, -_NEVER).flip(1)).flip(1)
    source = torch.where(last >= 0, last, first)
    seen = source < _NEVER
    source = source.clamp(max=frames - 1).expand_as(places)
    places = torch.where(seen, places.gather(1, source), 0)
    points = torch.cat([places, keypoints[..., 2:]], dim=-1)
    return points.permute(0, 3, 1, 2)[..., None].contiguous()


def _running_max(x: Tensor) -> Tensor:
    """The largest so far, (B, T, K, 1) → same."""
    if not torch.onnx.is_in_onnx_export():
        return x.cummax(1).values
    # ONNX knows no running maximum.
    frame = torch.arange(x.shape[1])
    earlier = (frame <= frame[:, None])[:, :, None, None]
    return torch.where(earlier, x[:, None], -_NEVER).amax(2)


def _masked(points: Tensor, frames: Sequence[int]) -> Tensor:
    """Points (B, 3, T, K, 1) of so many frames each → (B, 4, T, K, 1), the last channel
    1 on these and 0 on padding."""
    own = length_mask(upload(frames, points.device), points.shape[2])
    own = own[:, None, :, None, None].expand_as(points[:, :1])
    return torch.cat([points, own.to(points.dtype)], dim=1)
