"""Inference: the network made fast against float32 eager in the default layout.

The baseline draws its heatmaps per pixel at raw size and resizes them, then runs the
network as it was trained, with PyTorch's own layers. Ours draws them separably
and runs it without pyramid, with batch norms folded, channels last, in bfloat16 where
the processor computes in it. A network with separable connections is measured as well.
"""

from __future__ import annotations

import argparse

import torch
from _clips import batch
from _plain import plain_layers, preprocess_per_pixel
from _report import seconds, show
from training_step import network

from mmsign.engine.launch import reported_errors
from mmsign.models.inference import inference_context, prepare_for_inference

FPS = 25.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='side of the frames')
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    args.batch_size, args.checkpointing = 1, False
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')

    net = network(args).eval()
    data = batch(args)

    def baseline_network():
        with torch.no_grad():
            return net(ready['inputs'], ready['data_samples'])

    def baseline():
        with torch.no_grad():
            raw = preprocess_per_pixel(net, data)
            return net(raw['inputs'], raw['data_samples'])

    ready = net.data_preprocessor(data)
    with plain_layers():
        slow_network = seconds(baseline_network, args.repeats)
        slow = seconds(baseline, 1, 0)
        expected = baseline_network()['average'].float()

    def fast_seconds(
        model, graphs: bool = False
    ) -> tuple[float, float, torch.Tensor, torch.dtype]:
        dtype = prepare_for_inference(model, cuda_graphs=graphs)
        with inference_context(device, dtype):
            prepared = model.data_preprocessor(data)

            def run():
                return model(prepared['inputs'], prepared['data_samples'])

            def whole():
                again = model.data_preprocessor(data)
                return model(again['inputs'], again['data_samples'])

            found = run()['average'].float()
            return (
                seconds(run, args.repeats),
                seconds(whole, args.repeats),
                found,
                dtype,
            )

    fast_network, fast, found, dtype = fast_seconds(net)
    rows: dict[str, float | str] = {
        'input': f'{args.frames} frames of {args.size}×{args.size}',
        'dtype': str(dtype).removeprefix('torch.'),
        'baseline, network alone, frames/s': args.frames / slow_network,
        'baseline, with heatmaps, frames/s': args.frames / slow,
        'fast, network alone, frames/s': args.frames / fast_network,
        'fast, with heatmaps, frames/s': args.frames / fast,
        f'fast, real-time factor at {FPS:.0f} frames/s': fast * FPS / args.frames,
        'ratio network alone': slow_network / fast_network,
        'ratio with heatmaps': slow / fast,
        'largest difference of the probabilities': float(
            (found - expected).abs().max()
        ),
    }
    separable = network(args, 'SeparableBilateralNeck')
    separable_network, separable_whole, _, _ = fast_seconds(separable)
    rows |= {
        'fast and separable, network alone, frames/s': args.frames / separable_network,
        'fast and separable, with heatmaps, frames/s': args.frames / separable_whole,
        'ratio separable / full connections': fast_network / separable_network,
    }
    if device.type == 'cuda':
        for name, connections in dict(
            full='BilateralNeck', separable='SeparableBilateralNeck'
        ).items():
            alone, whole, _, _ = fast_seconds(network(args, connections), graphs=True)
            rows |= {
                f'CUDA graphs, {name}, network alone, frames/s': args.frames / alone,
                f'CUDA graphs, {name}, with heatmaps, frames/s': args.frames / whole,
            }
    show('inference', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
