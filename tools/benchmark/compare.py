"""An older checkout against this one: training steps and inference on a CPU.

    git worktree add ../before COMMIT
    python tools/benchmark/compare.py ../before

The networks are those of the shipped configs, complete at full width and that of the
toy corpus, built and trained by each checkout's own code: heatmaps, forward and
backward pass and the config's optimizer; and prepared for inference. Two processes,
one of each checkout, take turns with one thread each. The processor's time counts
beside that on the clock: what else the machine does slows both.

Prints Markdown. A ratio below 1 says that the newer one is faster. It is the median of
the rounds' ratios, with the middle half of them; then that of the fastest rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

from _report import machine

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = dict(full='twostream_slr_phoenix', toy='twostream_slr_toy')
WHAT = 'training step', 'inference'
DTYPES = 'float32', 'bfloat16'
CLOCKS = dict(processor=time.process_time, clock=time.perf_counter)


def prepared(case: argparse.Namespace) -> Callable[[], object]:
    """A measurement's call, by nothing but what both checkouts have.

    ``case.network`` is one of ``NETWORKS`` or the name of a config.
    """
    import torch
    from _clips import batch
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import init_default_scope

    from mmsign.compat import use_mixed_precision
    from mmsign.models.inference import inference_context, prepare_for_inference
    from mmsign.registry import MODELS

    torch.manual_seed(0)
    init_default_scope('mmsign')
    name = f'{NETWORKS.get(case.network, case.network)}.py'
    config = Config.fromfile(Path(case.checkout, 'configs', name))
    model, settings = config.model, config.model.data_preprocessor
    model.vocab = dict(glosses=[f'G{index}' for index in range(1, 1236)])
    # What layers computed by PyTorch's need to be fast.
    settings.memory_format = 'channels_last_3d'
    if case.network != 'toy':
        settings.update(video_size=case.size, heatmap_size=case.size // 2)
    if case.network == 'full':
        for stream in (model.video, model.keypoint):
            stream.backbone.width = case.width
    net = MODELS.build(model)
    case.size = settings.video_size
    data = batch(case)
    if case.what == 'inference':
        dtype = prepare_for_inference(net, getattr(torch, case.dtype))

        def infer() -> None:
            with inference_context('cpu', dtype):
                ready = net.data_preprocessor(data)
                net(ready['inputs'], ready['data_samples'])

        return infer
    wrapper = config.optim_wrapper
    wrapper.optimizer.lr = 1e-5
    if case.dtype == 'bfloat16':
        use_mixed_precision(wrapper)
    optimizer = build_optim_wrapper(net.train(), wrapper)
    return lambda: net.train_step(data, optimizer)


def serve(case: argparse.Namespace) -> None:
    """Print the seconds by ``CLOCKS`` of one call for every line that comes."""
    run = prepared(case)
    run()
    for _ in sys.stdin:
        begin = [clock() for clock in CLOCKS.values()]
        run()
        taken = [clock() - t for clock, t in zip(CLOCKS.values(), begin)]
        print(json.dumps(taken), flush=True)


class Server:
    """A process that measures a checkout."""

    def __init__(self, checkout: Path, case: dict) -> None:
        case = json.dumps(case | dict(checkout=str(checkout)))
        self.process = subprocess.Popen(
            [sys.executable, __file__, '--serve', case],
            env=dict(os.environ, PYTHONPATH=str(checkout), OMP_NUM_THREADS='1'),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self) -> list[float]:
        """Of one call, by ``CLOCKS``."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        # Whatever else is printed comes before.
        for line in self.process.stdout:
            if line.startswith('['):
                return json.loads(line)
        sys.exit(f'{" ".join(self.process.args[1:])} failed')


def measure(old: Path, new: Path, case: dict, rounds: int) -> list[str]:
    """The cells of one row."""
    servers = [Server(checkout, case) for checkout in (old, new)]
    try:
        for server in servers:  # one warms up while the other waits
            server.seconds()
        found = []
        for turn in range(rounds):
            pair = [server.seconds() for server in servers[:: 1 - turn % 2 * 2]]
            found.append(pair[:: 1 - turn % 2 * 2])
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()
    cells = []
    for index in range(len(CLOCKS)):
        before, after = ([pair[age][index] for pair in found] for age in (0, 1))
        ratios = [b / a for a, b in zip(before, after)]
        low, middle, high = statistics.quantiles(ratios, n=4, method='inclusive')
        medians = [f'{statistics.median(times):.3g}' for times in (before, after)]
        fastest = min(after) / min(before)
        cells += [*medians, f'{middle:.2f} ({low:.2f}–{high:.2f}), {fastest:.2f}']
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('old', type=Path, help='folder of a checkout')
    parser.add_argument('new', type=Path, nargs='?', default=ROOT)
    parser.add_argument('--networks', nargs='+', default=[*NETWORKS], choices=NETWORKS)
    parser.add_argument('--what', nargs='+', default=WHAT, choices=WHAT)
    parser.add_argument('--dtypes', nargs='+', default=DTYPES, choices=DTYPES)
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--size', type=int, default=112, help='of frames, full network')
    parser.add_argument('--width', type=float, default=1.0, help='of the full network')
    args = parser.parse_args()
    old, new = args.old.resolve(), args.new.resolve()
    about = ', '.join(f'{key} {value}' for key, value in machine().items())
    heads = ['network', 'dtype', 'what']
    for clock in CLOCKS:
        heads += [f'{age}, s of {clock}' for age in ('old', 'new')]
        heads += [f'ratio ({clock})']
    print(f'`{" ".join(["python", *sys.argv])}`\n\n{about}\n')
    print(f'| {" | ".join(heads)} |\n{"|---" * len(heads)}|')
    for network, dtype, what in product(args.networks, args.dtypes, args.what):
        sizes = 'frames', 'batch_size', 'size', 'width'
        case = dict(network=network, dtype=dtype, what=what)
        cells = measure(
            old, new, case | {name: getattr(args, name) for name in sizes}, args.rounds
        )
        print(f'| {" | ".join([*case.values(), *cells])} |', flush=True)


if __name__ == '__main__':
    if sys.argv[1:2] == ['--serve']:
        serve(argparse.Namespace(**json.loads(sys.argv[2])))
    else:
        main()
