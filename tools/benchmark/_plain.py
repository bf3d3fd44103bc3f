"""Baselines: PyTorch's own layers, and heatmaps drawn per pixel at raw size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F

from mmsign.models import TwoStreamRecognizer
from mmsign.models.layers import shifts, volume
from mmsign.models.recognizers.stream import Stream

WIDTH, HEIGHT, SIZE, SIGMA = 210, 260, 112, 8.0


@contextmanager
def pytorch_kernels() -> Iterator[None]:
    """Within it a GPU computes by PyTorch's operators alone."""
    ours = shifts.kernels_for
    shifts.kernels_for = lambda x: None
    try:
        yield
    finally:
        shifts.kernels_for = ours


@contextmanager
def plain_layers() -> Iterator[None]:
    """Within it mmsign's layers compute as PyTorch's do, in its default layout."""
    theirs = {
        volume.Conv3d: nn.Conv3d.forward,
        volume.ConvTranspose3d: nn.ConvTranspose3d.forward,
        volume.BatchNorm3d: _batch_norm,
        volume.MaxPool3d: lambda pool, x: F.max_pool3d(
            x, pool.kernel_size, pool.stride, pool.padding
        ),
    }
    ours = {layer: layer.forward for layer in theirs}
    laid_out = Stream.laid_out
    for layer, forward in theirs.items():
        layer.forward = forward
    Stream.laid_out = lambda stream, x: x.contiguous()
    try:
        with pytorch_kernels():
            yield
    finally:
        for layer, forward in ours.items():
            layer.forward = forward
        Stream.laid_out = laid_out


def _batch_norm(
    norm: nn.BatchNorm3d, x: torch.Tensor, relu: bool = False
) -> torch.Tensor:
    if norm.training:
        norm.num_batches_tracked.add_(1)
    y = F.batch_norm(
        x,
        norm.running_mean,
        norm.running_var,
        norm.weight,
        norm.bias,
        norm.training,
        norm.momentum,
        norm.eps,
    )
    return y.relu() if relu else y


def per_pixel(
    keypoints: torch.Tensor, box: Sequence[float], size: int = SIZE
) -> torch.Tensor:
    """(T, K, 3) keypoints → (K, T, size, size), an exp per raw pixel."""
    x0, y0, w, h = (int(side) for side in box)
    xs = torch.arange(float(WIDTH), device=keypoints.device)
    ys = torch.arange(float(HEIGHT), device=keypoints.device)[:, None]
    x, y = keypoints[..., 0, None, None], keypoints[..., 1, None, None]
    raw = torch.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * SIGMA**2))
    crop = raw[..., y0 : y0 + h, x0 : x0 + w]
    maps = F.interpolate(crop, (size, size), mode='bilinear')
    return maps.transpose(0, 1) * 2 - 1


def preprocess_per_pixel(
    net: TwoStreamRecognizer, data: dict, training: bool = False
) -> dict:
    """What ``net.data_preprocessor`` gives, its heatmaps from :func:`per_pixel`."""
    inputs = data['inputs']
    ready = net.data_preprocessor(
        dict(data, inputs=dict(video=inputs['video'])), training
    )
    video = ready['inputs']['video']
    size = net.data_preprocessor.heatmap_size
    maps = []
    for points, sample in zip(inputs['keypoints'], data['data_samples'], strict=True):
        # Some frames at a time: all at raw size would need more memory than training.
        parts = points.to(video.device).split(16)
        drawn = [per_pixel(part, sample.crop_box, size) for part in parts]
        maps.append(torch.cat(drawn, dim=1))
    ready['inputs']['heatmaps'] = torch.stack(maps)
    return ready
