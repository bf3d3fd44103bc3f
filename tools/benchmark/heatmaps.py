"""Heatmaps: ours against a per-pixel generator at raw size plus resize.

Both make the same tensor: K Gaussians per frame of a 210×260 video, cropped,
resized to 112×112 and scaled to [−1, 1]. The per-pixel one evaluates an exp at
every pixel of the raw frame and resizes, as the paper's authors do.
"""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F
from _report import seconds, show

from mmsign.models.layers.heatmaps import draw_heatmaps

WIDTH, HEIGHT, SIZE, SIGMA = 210, 260, 112, 8.0


def per_pixel(keypoints: torch.Tensor, box: list[int]) -> torch.Tensor:
    """(T, K, 3) keypoints → (K, T, 112, 112), an exp per raw pixel."""
    x0, y0, w, h = box
    xs = torch.arange(float(WIDTH))
    ys = torch.arange(float(HEIGHT))[:, None]
    frames = []
    for points in keypoints:
        x, y = points[:, 0, None, None], points[:, 1, None, None]
        raw = torch.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * SIGMA**2))
        crop = raw[:, y0 : y0 + h, x0 : x0 + w]
        frames.append(F.interpolate(crop[None], (SIZE, SIZE), mode='bilinear')[0])
    return torch.stack(frames, 1) * 2 - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=16)
    parser.add_argument('--keypoints', type=int, default=79)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    torch.manual_seed(0)
    points = torch.rand(1, args.frames, args.keypoints, 3)
    points *= torch.tensor([WIDTH, HEIGHT, 1.0])
    box = [11, 17, 190, 201]
    boxes = torch.tensor([box], dtype=torch.float32)

    def ours(**kwargs) -> torch.Tensor:
        return draw_heatmaps(points, boxes, (SIZE, SIZE), SIGMA, **kwargs)

    difference = (ours()[0] - per_pixel(points[0], box)).abs().max()
    last = dict(dtype=torch.bfloat16, memory_format=torch.channels_last_3d)
    target = torch.empty(1, args.keypoints, args.frames, SIZE, SIZE)
    slow = seconds(lambda: per_pixel(points[0], box), 3) / args.frames
    fast = seconds(ours, args.repeats) / args.frames
    low = seconds(lambda: ours(**last), args.repeats) / args.frames
    fill = seconds(lambda: target.fill_(0.5), args.repeats) / args.frames
    rows = {
        'per pixel + resize, ms/frame': slow * 1e3,
        'separable float32, ms/frame': fast * 1e3,
        'separable bfloat16 channels_last_3d, ms/frame': low * 1e3,
        'filling the tensor, ms/frame': fill * 1e3,
        'ratio per pixel / separable': slow / fast,
        'ratio per pixel / separable bfloat16': slow / low,
        'ratio separable / filling': fast / fill,
        'largest difference': float(difference),
    }
    show('heatmaps', rows, args.json)


if __name__ == '__main__':
    main()
