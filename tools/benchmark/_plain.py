"""Baselines: PyTorch's own convolutions, and heatmaps drawn per pixel at raw size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn as nn
import torch.nn.functional as F

from mmsign.models import TwoStreamRecognizer
from mmsign.models.layers.thin_conv import ThinConv3d

WIDTH, HEIGHT, SIZE, SIGMA = 210, 260, 112, 8.0


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Within it ``ThinConv3d`` computes as ``nn.Conv3d`` does."""
    ours = ThinConv3d.forward
    ThinConv3d.forward = nn.Conv3d.forward
    try:
        yield
    finally:
        ThinConv3d.forward = ours


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
