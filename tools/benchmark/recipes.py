"""Networks of configs beside each other: size, GFLOP per frame, memory, speed.

    OMP_NUM_THREADS=1 python tools/benchmark/recipes.py > recipes.md

Prints Markdown. Parameters and GFLOP of a forward pass, per frame, are those of the
config; memory is the peak of a training step in bfloat16 on one clip, counted as in
memory.py. Speed is measured: a training step with the config's own optimizer, and
inference as it is prepared for a bundle, both on one clip of smaller frames. On a CPU
it is by the processor's time, as whatever else the machine does slows the clock's.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from _report import machine, seconds
from compare import ROOT, prepared
from memory import GIB, can_count, peak_memory

from mmsign.engine.launch import load_config, reported_errors
from mmsign.registry import MODELS

sys.path.append(str(ROOT / 'tools' / 'analysis'))
from describe import build, flops, parameters

CONFIGS = ROOT / 'configs'
GLOSSES = 1235
HEADS = (
    *('config', 'parameters, M', 'GFLOP per frame', 'memory, GiB'),
    *('training, frames/s', 'inference, frames/s'),
)


def counted(name: str, args: argparse.Namespace) -> list[str]:
    """Parameters, GFLOP per frame and GiB of a config at its own size of frames."""
    cfg = load_config(str(CONFIGS / f'{name}.py'))
    net = build(cfg, GLOSSES)
    cost = flops(net, args.long)['total'] / args.long
    cells = [f'{parameters(net) / 1e6:.1f}', f'{cost / 1e9:.2f}']
    if not can_count():
        return [*cells, '–']
    size = net.data_preprocessor.video_size
    clip = argparse.Namespace(batch_size=1, frames=args.long, size=size)
    # A clip by itself needs nothing behind its end.
    alone = cfg.model.data_preprocessor | dict(min_padding=0)
    model = dict(cfg.model, vocab=net.vocab, data_preprocessor=alone)
    held = peak_memory(lambda _: MODELS.build(model), clip, low=True)
    return [*cells, f'{held / GIB:.1f}']


def measured(name: str, args: argparse.Namespace) -> list[str]:
    """Frames per second of training and of inference."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    cells = []
    for what in ('training step', 'inference'):
        case = argparse.Namespace(
            checkout=ROOT,
            network=name,
            what=what,
            dtype='bfloat16' if args.bfloat16 else 'float32',
            batch_size=1,
            frames=args.frames,
            size=args.size,
        )
        taken = seconds(prepared(case), args.repeats, clock=clock)
        cells.append(f'{float(f"{args.frames / taken:.3g}"):g}')
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recipes = sorted((CONFIGS / 'recipes').glob('*_slr_phoenix.py'))
    names = ['twostream_slr_phoenix', *(f'recipes/{path.stem}' for path in recipes)]
    parser.add_argument('configs', nargs='*', default=names, metavar='CONFIG')
    parser.add_argument('--frames', type=int, default=32, help='of a measured clip')
    parser.add_argument('--size', type=int, default=112, help='of its frames, pixels')
    parser.add_argument('--long', type=int, default=128, help='of a counted clip')
    parser.add_argument('--bfloat16', action='store_true', help='measure in bfloat16')
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    about = ', '.join(f'{key} {value}' for key, value in machine().items())
    print(f'`{" ".join(["python", *sys.argv])}`\n\n{about}\n')
    print(f'| {" | ".join(HEADS)} |\n{"|---" * len(HEADS)}|', flush=True)
    for name in args.configs:
        cells = [f'`{name}`', *counted(name, args), *measured(name, args)]
        print(f'| {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    with reported_errors():
        main()
