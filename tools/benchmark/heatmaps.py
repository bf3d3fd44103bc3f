"""Heatmaps: ours against a per-pixel generator at raw size plus resize.

Both make the same tensor: K Gaussians per frame of a 210×260 video, cropped,
resized to 112×112 and scaled to [−1, 1]. The per-pixel one evaluates an exp at
every pixel of the raw frame and resizes, as the paper's authors do.
"""

from __future__ import annotations

import argparse

import torch
from _plain import HEIGHT, SIGMA, SIZE, WIDTH, per_pixel
from _report import seconds, show

from mmsign.engine.launch import reported_errors
from mmsign.models.layers.heatmaps import draw_heatmaps
from mmsign.models.layers.reuse import ReusedMemory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=16)
    parser.add_argument('--keypoints', type=int, default=79)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    points = torch.rand(1, args.frames, args.keypoints, 3)
    points = (points * torch.tensor([WIDTH, HEIGHT, 1.0])).to(device)
    box = [11, 17, 190, 201]
    boxes = torch.tensor([box], dtype=torch.float32, device=device)

    memory = ReusedMemory()
    shape = (1, args.keypoints, args.frames, SIZE, SIZE)

    def ours(dtype=torch.float32, reuse=True):
        # As the data preprocessor calls it; without reuse, into fresh memory.
        out = None
        if reuse:
            out = memory.empty('maps', shape, dtype, device)
        return draw_heatmaps(points, boxes, (SIZE, SIZE), SIGMA, dtype=dtype, out=out)

    difference = (ours()[0] - per_pixel(points[0], box)).abs().max()
    target = torch.empty(shape, device=device)
    slow = seconds(lambda: per_pixel(points[0], box), 3) / args.frames
    fast = seconds(ours, args.repeats) / args.frames
    fresh = seconds(lambda: ours(reuse=False), args.repeats) / args.frames
    fast_low = seconds(lambda: ours(torch.bfloat16), args.repeats) / args.frames
    fill = seconds(lambda: target.fill_(0.5), args.repeats) / args.frames
    target_low = target.to(torch.bfloat16)
    fill_low = seconds(lambda: target_low.fill_(0.5), args.repeats) / args.frames
    rows = {
        'per pixel + resize, ms/frame': slow * 1e3,
        'separable float32, ms/frame': fast * 1e3,
        'separable float32 into fresh memory, ms/frame': fresh * 1e3,
        'separable bfloat16, ms/frame': fast_low * 1e3,
        'filling the float32 tensor, ms/frame': fill * 1e3,
        'ratio per pixel / separable': slow / fast,
        'ratio per pixel / separable into fresh memory': slow / fresh,
        'ratio per pixel / separable bfloat16': slow / fast_low,
        'filling the bfloat16 tensor, ms/frame': fill_low * 1e3,
        'ratio separable / filling': fast / fill,
        'ratio separable bfloat16 / filling': fast_low / fill_low,
        'largest difference': float(difference),
    }
    show('heatmaps', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
