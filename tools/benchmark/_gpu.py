"""The parts of gpu.sh, one after the other, and their table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from _report import machine
from run_all import table

ROOT = Path(__file__).resolve().parents[2]
# Seconds for all; each part gets what it may take at most of what is left.
SECONDS = 290.0
ON_GPU = torch.cuda.is_available()
# Sizes for a trial without a GPU.
SMALL = [] if ON_GPU else ['--width', '0.125', '--size', '64']
FRAMES = '128' if ON_GPU else '16'
LONG = '400' if ON_GPU else '24'
GRAPHS = ['--cuda-graphs'] if ON_GPU else []
THEIRS = ['--pytorch-kernels'] if ON_GPU else []
STEP = ['training_step', '--repeats', '5' if ON_GPU else '1', *SMALL]
PARTS: list[tuple[str, float, list[str]]] = [
    ('step_1', 70, [*STEP, '--frames', FRAMES, *THEIRS, *GRAPHS]),
    (
        'step_4',
        45,
        [*STEP, '--frames', FRAMES, '--batch-size', '4', '--fast-only', *GRAPHS],
    ),
    ('step_long', 30, [*STEP, '--frames', LONG, '--fast-only']),
    (
        'step_long_saving',
        30,
        [*STEP, '--frames', LONG, '--fast-only', '--checkpointing'],
    ),
    ('inference', 45, ['inference', '--frames', FRAMES, *SMALL]),
    ('heatmaps', 15, ['heatmaps', '--frames', FRAMES]),
    ('profile', 30, ['profile_step', '--frames', FRAMES, *SMALL]),
    ('profile_graphs', 30, ['profile_step', '--frames', FRAMES, *SMALL, *GRAPHS]),
    ('translation', 30, ['translation', '--memory-only']),
]
# When all else is done, if there is time.
LOADING = ['loading', '--workers', '8', '--clips', '32' if ON_GPU else '8']
TOY = 60.0


def run(command: list[str], log: Path, limit: float) -> tuple[str, str]:
    """Standard output of a command, and how it ended."""
    started = time.monotonic()
    with log.open('w') as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=max(1.0, limit))
            end = f'status {process.returncode}'
        except subprocess.TimeoutExpired:
            # A training says how to go on; its workers end with it.
            os.killpg(process.pid, signal.SIGINT)
            try:
                said, _ = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
            end = 'stopped, its time was up'
    return said, f'{end} after {time.monotonic() - started:.0f} s'


def tests(out: Path, limit: float) -> str:
    """The tests that need a GPU, as Markdown."""
    command = [sys.executable, '-m', 'pytest', '-q', '-m', 'gpu', 'tests/gpu']
    command += ['-p', 'no:cacheprovider', '--durations=10']
    said, end = run(command, out / 'tests.log', limit)
    (out / 'tests.txt').write_text(said)
    last = [line for line in said.splitlines() if line.strip()][-15:]
    return '\n'.join(
        [
            '## tests',
            '',
            f'`pytest -m gpu tests/gpu`: {end}',
            '',
            '```',
            *last,
            '```',
            '',
        ]
    )


def benchmark(out: Path, name: str, limit: float, arguments: list[str]) -> str:
    """One benchmark as Markdown."""
    script, *options = arguments
    shown = ' '.join(['python', f'tools/benchmark/{script}.py', *options])
    command = [sys.executable, str(ROOT / 'tools/benchmark' / f'{script}.py'), *options]
    said, end = run([*command, '--json'], out / f'{name}.log', limit)
    (out / f'{name}.json').write_text(said)
    try:
        return table(json.loads(said.splitlines()[-1]), shown)
    except (ValueError, IndexError, KeyError):
        return f'## {name}\n\n`{shown}` FAILED: {end}, see {name}.log\n'


def summary(out: Path) -> str:
    """The figures that matter first, of all that was measured, as Markdown."""

    def of(part: str, row: str, change=lambda value: value) -> str:
        try:
            found = json.loads((out / f'{part}.json').read_text().splitlines()[-1])
            return f'{change(found[row]):.4g}'
        except (OSError, ValueError, IndexError, KeyError, TypeError):
            return 'not measured'

    def ms(seconds: float) -> float:
        return 1e3 * seconds

    def frames(seconds: float) -> float:
        return 4 * int(FRAMES) / seconds

    step, whole = 'training step fast, s', 'with heatmaps, frames/s'
    memory = 'peak memory fast, GiB'
    reserved = 'peak memory {}, reserved, GiB'
    graphs = 'fast with CUDA graphs'
    replayed = f'training step {graphs}, s'
    theirs = "training step fast with PyTorch's kernels, s"
    rows = {
        f'training step, one clip of {FRAMES} frames, ms': of('step_1', step, ms),
        "the same with PyTorch's norms, ReLUs and pools": of('step_1', theirs, ms),
        'training, four clips, frames/s': of('step_4', step, frames),
        'one clip with CUDA graphs, ms': of('step_1', replayed, ms),
        'four clips with CUDA graphs, frames/s': of('step_4', replayed, frames),
        'peak memory, one clip, GiB': of('step_1', memory),
        'the same, reserved': of('step_1', reserved.format('fast')),
        'reserved with CUDA graphs': of('step_1', reserved.format(graphs)),
        f'step of {LONG} frames, ms': of('step_long', step, ms),
        f'peak memory of {LONG} frames, GiB': of('step_long', memory),
        'the same with checkpointing, GiB': of('step_long_saving', memory),
        'launches of a step': of('profile', 'launches'),
        'waits of a step': of('profile', 'waits for the GPU'),
        'launches of a step with CUDA graphs': of('profile_graphs', 'launches'),
        'waits of it': of('profile_graphs', 'waits for the GPU'),
        'inference, heatmaps included, frames/s': of('inference', f'fast, {whole}'),
        'the same with CUDA graphs': of('inference', f'CUDA graphs, full, {whole}'),
        'the same, separable connections': of(
            'inference', f'CUDA graphs, separable, {whole}'
        ),
        'training of mBART-large, GiB': of('translation', 'measured on the GPU, GiB'),
        'loading by 8 workers, PNG folder, frames/s': of(
            'loading', 'PNG folder, frames/s'
        ),
        'the same, pack': of('loading', 'pack, frames/s'),
    }
    lines = [f'| {name} | {value} |' for name, value in rows.items()]
    return '\n'.join(['## summary', '', '| what | value |', '|---|---|', *lines, ''])


def toy_training(out: Path, limit: float) -> str:
    """Some training on the toy corpus, as Markdown."""
    data, work, size = out / 'toy', out / 'toy_work', '160' if ON_GPU else '8'
    make = [sys.executable, 'tools/data/make_toy_corpus.py', str(data)]
    make += ['--train', size, '--dev', '4', '--test', '4', '--citations', '0']
    make += ['--workers', str(min(8, os.cpu_count() or 1))]
    started = time.monotonic()
    _, made = run(make, out / 'toy_corpus.log', limit)
    options = [
        f'data_root={data}',
        'train_cfg.max_epochs=200',
        'train_cfg.val_interval=200',
    ]
    train = [sys.executable, 'tools/train.py', 'configs/twostream_slr_toy.py', '--amp']
    train += ['--work-dir', str(work), '--cfg-options', *options]
    train += ['default_hooks.logger.interval=5']
    left = limit - (time.monotonic() - started)
    _, end = run(train, out / 'toy_training.log', left)
    lines = [
        '## a minute of training on the toy corpus',
        '',
        f'`{" ".join(train[1:])}`',
        '',
        f'corpus: {made}; training: {end}',
        '',
    ]
    found = sorted(work.glob('*/vis_data/scalars.json'))
    records = (
        [json.loads(x) for x in found[-1].read_text().splitlines()] if found else []
    )
    records = [record for record in records if 'loss' in record]
    if not records:
        return '\n'.join(
            [*lines, 'FAILED: no step was logged, see toy_training.log', '']
        )
    later = records[len(records) // 2 :]
    for name in ('time', 'data_time'):
        mean = sum(record[name] for record in later) / len(later)
        lines.append(f'- {name} per step of 8 clips, s: {mean:.3f}')
    lines.append(f'- steps: {records[-1]["iter"]}')
    lines.append(f'- loss: {records[0]["loss"]:.1f} to {records[-1]["loss"]:.1f}')
    return '\n'.join([*lines, ''])


def main() -> None:
    out = Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    started, about = time.monotonic(), machine()
    title = about.get('gpu', 'no GPU: a trial in small sizes')
    pages = [f'# {title}\n\n{json.dumps(about)}\n']

    def left(limit: float, kept: float = 0.0) -> float:
        return min(limit, SECONDS - kept - (time.monotonic() - started))

    def add(page: str) -> None:
        pages.append(page)
        print(page, flush=True)
        (out / 'gpu.md').write_text('\n'.join(pages))

    add(pages.pop())

    def add_benchmark(name: str, limit: float, arguments: list[str]) -> None:
        if left(SECONDS) > 5:
            add(benchmark(out, name, left(limit), arguments))
        else:
            add(f'## {name}\n\nleft out: no time was left\n')

    for part in PARTS:
        add_benchmark(*part)
    add(toy_training(out, left(TOY, kept=60)))
    add(tests(out, left(150)))
    add_benchmark('loading', 60, LOADING)
    pages.insert(1, summary(out))
    add(f'{time.monotonic() - started:.0f} s in all\n')


if __name__ == '__main__':
    main()
