"""The network: forward and training step, time, memory, GFLOP per frame.

The baseline is plain float32 in PyTorch's default layout; the comparison runs
the same weights and the same input in channels_last_3d with bfloat16 autocast.
"""

from __future__ import annotations

import argparse
import resource

import numpy as np
import torch
from _report import seconds, show
from torch.utils.flop_counter import FlopCounterMode

from mmsign.models import TwoStreamRecognizer
from mmsign.structures import SignDataSample


def network(
    args, memory_format: str, connections: str = 'BilateralNeck'
) -> TwoStreamRecognizer:
    """The full TwoStream-SLR at the size asked for."""
    torch.manual_seed(0)
    common = dict(type='S3D', width=args.width, with_cp=args.checkpointing)
    return TwoStreamRecognizer(
        vocab=dict(glosses=[f'G{index}' for index in range(1, 1236)]),
        data_preprocessor=dict(
            video_size=args.size,
            heatmap_size=args.size // 2,
            memory_format=memory_format,
        ),
        video=dict(backbone=dict(in_channels=3, frozen_blocks=1, **common)),
        keypoint=dict(backbone=dict(in_channels=79, **common)),
        bilateral=dict(type=connections),
        pyramid=dict(type='SignPyramid'),
        joint=dict(type='JointHead'),
        distillation=dict(type='SelfDistillationLoss'),
    ).to('cuda' if torch.cuda.is_available() else 'cpu')


def batch(args, net: TwoStreamRecognizer) -> dict:
    """Random frames and keypoints of one batch."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, args.frames, args.size, args.size)
    samples = [
        SignDataSample(
            metainfo=dict(
                clip_id=f'clip{index}',
                glosses=['G3', 'G7', 'G5'],
                length=args.frames,
                frame_indices=np.arange(args.frames),
                crop_box=(0.0, 0.0, 210.0, 260.0),
            )
        )
        for index in range(args.batch_size)
    ]
    return dict(
        inputs=dict(
            video=[
                torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
                for _ in samples
            ],
            keypoints=[
                torch.rand(args.frames, 79, 3, generator=generator) * 210
                for _ in samples
            ],
        ),
        data_samples=samples,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--checkpointing', action='store_true')
    parser.add_argument('--forward-only', action='store_true')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    rows: dict[str, float | str] = {}
    times: dict[str, float] = {}
    variants = dict(plain=('contiguous', False), fast=('channels_last_3d', True))
    for label, (layout, low) in variants.items():
        net = network(args, layout)
        data = batch(args, net)

        def forward(net=net, data=data, low=low):
            net.eval()
            with (
                torch.inference_mode(),
                torch.autocast(device, torch.bfloat16, enabled=low),
            ):
                ready = net.data_preprocessor(data)
                return net(ready['inputs'], ready['data_samples'])

        def step(net=net, data=data, low=low):
            net.train()
            with torch.autocast(device, torch.bfloat16, enabled=low):
                ready = net.data_preprocessor(data, True)
                losses = net(ready['inputs'], ready['data_samples'], mode='loss')
            sum(losses.values()).backward()
            net.zero_grad()

        if not low:
            with FlopCounterMode(display=False) as counter:
                forward()
            frames = args.frames * args.batch_size
            rows['GFLOP per frame, forward'] = counter.get_total_flops() / 1e9 / frames
            count = sum(p.numel() for p in net.parameters())
            rows['parameters, millions'] = count / 1e6
        times[f'forward {label}'] = seconds(forward, args.repeats)
        if not args.forward_only:
            times[f'training step {label}'] = seconds(step, args.repeats)
            if device == 'cuda':
                rows[f'peak memory {label}, GB'] = (
                    torch.cuda.max_memory_allocated() / 1e9
                )
                torch.cuda.reset_peak_memory_stats()
    rows |= {f'{key}, s': value for key, value in times.items()}
    rows['ratio forward plain / fast'] = times['forward plain'] / times['forward fast']
    if not args.forward_only:
        rows['ratio training step plain / fast'] = (
            times['training step plain'] / times['training step fast']
        )
    if device == 'cpu':
        # The process's peak, so of the larger of the two variants.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows['peak memory of the process, GB'] = peak / 1e6
    show('two-stream network', rows, args.json)


if __name__ == '__main__':
    main()
