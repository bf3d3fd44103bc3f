"""A training step by kernel: what it launches, what it waits for, where time goes.

Heatmaps, forward and backward pass in bfloat16 where the machine has it, and Adam.
On a CPU operators take the place of kernels.
"""

from __future__ import annotations

import argparse

import torch
from _clips import batch
from _report import show
from torch.profiler import ProfilerActivity, profile
from training_step import network

from mmsign.compat import cpu_has_bfloat16
from mmsign.engine import FusedAdam
from mmsign.engine.launch import reported_errors
from mmsign.models.cuda_graphs import train_with_cuda_graphs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=128)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--checkpointing', action='store_true')
    parser.add_argument(
        '--cuda-graphs', action='store_true', help='replay the streams; needs a GPU'
    )
    parser.add_argument('--kernels', type=int, default=25, help='that are listed')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    device = 'cuda' if on_gpu else 'cpu'
    low = on_gpu or cpu_has_bfloat16() is not False
    net = network(args).train()
    if args.cuda_graphs:
        train_with_cuda_graphs(net)
    optimizer = FusedAdam(net.parameters(), lr=1e-5)
    data = batch(args)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=low):
            ready = net.data_preprocessor(data, True)
            losses = net(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(3 if on_gpu else 1):
        step()
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]
    if on_gpu:
        torch.cuda.synchronize()
    with profile(activities=activities) as found:
        step()
    events = found.key_averages()

    def self_ms(event) -> float:
        names = ('self_device_time_total', 'self_cuda_time_total')
        names = names if on_gpu else ('self_cpu_time_total',)
        return next(getattr(event, n) for n in names if hasattr(event, n)) / 1e3

    def calls(part: str) -> int:
        return sum(event.count for event in events if part in event.key)

    rows: dict[str, float | str] = {
        'input': f'{args.batch_size} x {args.frames} frames of {args.size}x{args.size}',
        'dtype': 'bfloat16' if low else 'float32',
        'launches': calls('LaunchKernel') + calls('GraphLaunch'),
        # One of them is the profiler's own.
        'waits for the GPU': calls('Synchronize'),
        'copies to and from the GPU': calls('cudaMemcpy'),
        'all together, ms': sum(map(self_ms, events)),
    }
    for event in sorted(events, key=self_ms, reverse=True)[: args.kernels]:
        name = event.key.replace('|', '/')[:90]
        rows[f'{name}, {event.count} x, ms'] = self_ms(event)
    show('training step by kernel', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
