"""Run every benchmark and print one Markdown document: the machine, then tables.

    OMP_NUM_THREADS=2 python tools/benchmark/run_all.py > performance.md

Run it while the machine does nothing else. Any name that is given runs that one only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMANDS = {
    'loading': ['--clips', '16'],
    'heatmaps': ['--repeats', '11', '--frames', '128'],
    'decoding': [],
    'layers': [],
    'evaluation': [],
    'padding': [],
    'inference': ['--repeats', '2'],
    'training_step': ['--repeats', '2'],
    'memory': [],
    'translation': [],
    'processes': ['--repeats', '2'],
}


def table(found: dict, command: str) -> str:
    """One benchmark's JSON as Markdown."""
    machine = ', '.join(f'{key} {value}' for key, value in found['machine'].items())
    lines = [f'## {found["benchmark"]}', '', f'`{command}`', '', machine, '']
    lines += ['| what | value |', '|---|---|']
    for key, value in found.items():
        if key not in ('benchmark', 'machine'):
            shown = f'{value:.4g}' if isinstance(value, float) else value
            lines.append(f'| {key} | {shown} |')
    return '\n'.join([*lines, ''])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('names', nargs='*', help=f'of {", ".join(COMMANDS)}')
    args = parser.parse_args()
    unknown = set(args.names) - COMMANDS.keys()
    if unknown:
        parser.error(f'no benchmark {", ".join(sorted(unknown))}')
    failed = []
    for name in args.names or COMMANDS:
        shown = ' '.join(['python', f'tools/benchmark/{name}.py', *COMMANDS[name]])
        print(f'{name} …', file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, str(HERE / f'{name}.py'), *COMMANDS[name], '--json'],
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            failed.append(name)
            continue
        print(table(json.loads(done.stdout.splitlines()[-1]), shown), flush=True)
    if failed:
        sys.exit(f'failed: {", ".join(failed)}')


if __name__ == '__main__':
    main()
