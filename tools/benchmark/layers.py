"""S3D by two-dimensional operations, against PyTorch's layers for three dimensions.

The same weights and input in channels_last_3d and float32, forward without gradient and
a training step (forward and backward).
"""

from __future__ import annotations

import argparse

import torch
from _plain import plain_layers
from _report import seconds, show

from mmsign.engine.launch import reported_errors
from mmsign.models import S3D


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    torch.manual_seed(0)
    shape = args.batch_size, 3, args.frames, args.size, args.size
    layout = dict(memory_format=torch.channels_last_3d)
    net = S3D(in_channels=3, width=args.width).to(**layout)
    x = torch.randn(shape).contiguous(**layout)

    def forward():
        with torch.inference_mode():
            return net.eval()(x)

    def step():
        net.train()(x).square().mean().backward()
        net.zero_grad()

    rows: dict[str, float | str] = {'input': 'x'.join(map(str, shape))}
    for name, run in dict(forward=forward, step=step).items():
        fast = seconds(run, args.repeats)
        with plain_layers():
            slow = seconds(run, args.repeats)
        rows |= {
            f'{name}, PyTorch, s': slow,
            f'{name}, mmsign, s': fast,
            f'ratio {name}': slow / fast,
        }
    with plain_layers():
        # Batch statistics have moved with the steps: compared anew.
        expected = forward()
    found = forward()
    rows['largest difference, of the largest value'] = float(
        (found - expected).abs().max() / expected.abs().max()
    )
    show('layers of S3D', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
