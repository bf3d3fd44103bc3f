"""The network: forward and training step, time, memory, GFLOP per frame.

The baseline is float32 in PyTorch's default layout with its own layers and heatmaps
drawn per pixel at raw size; the comparison runs the same weights and input by
mmsign's layers and its fused Adam, with bfloat16 autocast where the machine has it. A
training step is heatmaps, forward, backward and Adam; the forward pass has its
heatmaps too. With 24 GB and 400 frames:

    python tools/benchmark/training_step.py --frames 400 --checkpointing --fast-only
"""

from __future__ import annotations

import argparse
import gc
import resource
from contextlib import nullcontext

import torch
from _clips import batch
from _plain import plain_layers, preprocess_per_pixel, pytorch_kernels
from _report import seconds, show
from torch.utils.flop_counter import FlopCounterMode

from mmsign.compat import cpu_has_bfloat16
from mmsign.engine import FusedAdam
from mmsign.engine.launch import reported_errors
from mmsign.models import TwoStreamRecognizer
from mmsign.models.cuda_graphs import train_with_cuda_graphs


def network(args, connections: str = 'BilateralNeck') -> TwoStreamRecognizer:
    """The full TwoStream-SLR at the size asked for."""
    torch.manual_seed(0)
    common = dict(type='S3D', width=args.width, with_cp=args.checkpointing)
    net = TwoStreamRecognizer(
        vocab=dict(glosses=[f'G{index}' for index in range(1, 1236)]),
        data_preprocessor=dict(video_size=args.size, heatmap_size=args.size // 2),
        video=dict(backbone=dict(in_channels=3, frozen_blocks=1, **common)),
        keypoint=dict(backbone=dict(in_channels=79, **common)),
        bilateral=dict(type=connections),
        pyramid=dict(type='SignPyramid'),
        joint=dict(type='JointHead'),
        distillation=dict(type='SelfDistillationLoss'),
    )
    return net.cuda() if torch.cuda.is_available() else net


GRAPHS = 'fast with CUDA graphs'
THEIRS = "fast with PyTorch's kernels"
# What surrounds a variant.
WITHIN = {'plain': plain_layers, THEIRS: pytorch_kernels}
# Dense bfloat16 (float16 on Turing and Volta) peak of GPUs by name, in TFLOP/s.
PEAKS = {
    'H200': 989,
    'H100 PCIe': 756,
    'H100': 989,
    'A100': 312,
    'L40S': 362,
    'L4': 121,
    'A10': 125,
    'RTX 4090': 165,
    'RTX 3090': 71,
    'V100': 125,
    'T4': 65,
}


def peak_of_the_gpu() -> float | None:
    """TFLOP/s of this GPU, None if it is not in the list."""
    name = torch.cuda.get_device_name()
    return next((peak for key, peak in PEAKS.items() if key in name), None)


def training_flops(args) -> float:
    """FLOP of a training step, forward and backward, nothing computed twice.

    Counted on one short clip; convolutions, nearly all of it, grow in proportion to
    frames and clips.
    """
    frames = min(args.frames, 16)
    short = argparse.Namespace(
        **vars(args) | dict(frames=frames, batch_size=1, checkpointing=False)
    )
    net = network(short).train()
    ready = net.data_preprocessor(batch(short), True)
    with FlopCounterMode(display=False) as counter:
        losses = net(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
    return counter.get_total_flops() * args.frames / frames * args.batch_size


def measure(args, label: str, low: bool) -> tuple[dict[str, float], dict]:
    """Seconds of a forward pass and of a training step; counts and peak memory."""
    device, fast = 'cuda' if torch.cuda.is_available() else 'cpu', label != 'plain'
    gc.collect()
    if device == 'cuda':
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    saving = dict(checkpointing=args.checkpointing and fast)
    net = network(argparse.Namespace(**vars(args) | saving))
    adam = FusedAdam if fast else torch.optim.Adam
    optimizer = adam(net.parameters(), lr=1e-5)
    if fast and args.compile:
        net.pooled_levels = torch.compile(net.pooled_levels)
    if label == GRAPHS:
        train_with_cuda_graphs(net)
    data = batch(args)

    def preprocess(training: bool) -> dict:
        if fast:
            return net.data_preprocessor(data, training)
        return preprocess_per_pixel(net, data, training)

    def forward():
        net.eval()
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=low),
        ):
            ready = preprocess(False)
            return net(ready['inputs'], ready['data_samples'])

    def step():
        net.train()
        with torch.autocast(device, torch.bfloat16, enabled=low):
            ready = preprocess(True)
            losses = net(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()

    found = dict(parameters=sum(p.numel() for p in net.parameters()))
    if not fast:
        with FlopCounterMode(display=False) as counter:
            forward()
        found['flops'] = counter.get_total_flops()
    times = dict(forward=seconds(forward, args.repeats))
    if not args.forward_only:
        times['training step'] = seconds(step, args.repeats)
        if device == 'cuda':
            found['memory'] = torch.cuda.max_memory_allocated()
            found['reserved'] = torch.cuda.max_memory_reserved()
    return times, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument(
        '--checkpointing', action='store_true', help='of the fast variant'
    )
    parser.add_argument('--forward-only', action='store_true')
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile the fast variant'
    )
    parser.add_argument(
        '--pytorch-kernels',
        action='store_true',
        help="measure the fast variant with PyTorch's norms and pools as well",
    )
    parser.add_argument(
        '--cuda-graphs',
        action='store_true',
        help='measure the fast variant with them as well; needs a GPU',
    )
    parser.add_argument(
        '--fast-only',
        action='store_true',
        help='leave the baseline out, which may not fit the memory',
    )
    parser.add_argument(
        '--peak-tflops',
        type=float,
        help="of the device in bfloat16, for its utilisation (default: the GPU's)",
    )
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    rows: dict[str, float | str] = {}
    # Without bfloat16 instructions a CPU is slower with it, and not even right.
    low = on_gpu or cpu_has_bfloat16() is not False
    rows['fast'] = 'bfloat16' if low else 'float32'
    variants = dict(plain=False, fast=low)
    if args.fast_only:
        variants.pop('plain')
    frames = args.frames * args.batch_size
    times, found = {}, {}

    def add(label: str, low: bool) -> None:
        with WITHIN.get(label, nullcontext)():
            times[label], found[label] = measure(args, label, low)
        rows['parameters, millions'] = found[label]['parameters'] / 1e6
        if 'flops' in found[label]:
            rows['GFLOP per frame, forward'] = found[label]['flops'] / 1e9 / frames
        for what, value in times[label].items():
            rows[f'{what} {label}, s'] = value
        if 'memory' in found[label]:
            rows[f'peak memory {label}, GiB'] = found[label]['memory'] / 2**30
            # With what the allocator keeps, as that of CUDA graphs.
            reserved = found[label]['reserved'] / 2**30
            rows[f'peak memory {label}, reserved, GiB'] = reserved

    for variant in variants.items():
        add(*variant)
    if not args.fast_only:
        for what, slow in times['plain'].items():
            rows[f'ratio {what} plain / fast'] = slow / times['fast'][what]
        if 'memory' in found['fast']:
            share = found['fast']['memory'] / found['plain']['memory']
            rows['ratio peak memory fast / plain'] = share
    if not args.forward_only:
        step = times['fast']['training step']
        rows['clips/s fast'] = args.batch_size / step
        flops = training_flops(args)
        rows['GFLOP per frame, training step'] = flops / 1e9 / frames
        rows['TFLOP/s fast'] = flops / step / 1e12
        peak = args.peak_tflops or (peak_of_the_gpu() if on_gpu else None)
        if peak is not None:
            share = 100 * flops / step / 1e12 / peak
            rows[f'model FLOP utilisation fast, % of {peak:g} TFLOP/s'] = share
    if args.pytorch_kernels:
        add(THEIRS, low)
    if args.cuda_graphs:
        try:  # last, so that nothing else is lost
            add(GRAPHS, low)
        except RuntimeError as error:
            rows[f'training step {GRAPHS}, s'] = f'failed: {error}'.splitlines()[0]
    if not on_gpu:
        # The process's peak, so of the larger of the two variants.
        peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows['peak memory of the process, GiB'] = peak_memory / 2**20
    show('two-stream network', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
