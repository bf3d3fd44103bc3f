"""Run the rows of an ablation: ``python tools/analysis/ablation.py FOLDER``.

FOLDER holds one config per row, ``N_name.py``, in the order of the table. Every row
is trained and tested with every seed by ``tools/train.py`` and ``tools/test.py``. As
in the paper's recipe, rows with both streams start from the same seed's checkpoints of
the rows with one stream. What is done is skipped, and an interrupted training goes on.
Writes ``table.md`` (word error rate, mean and spread over the seeds) and ``plot.png``.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from mmsign import compat
from mmsign.engine.launch import interruptible, reported_errors, say
from mmsign.errors import ConfigError
from mmsign.files import check_outputs, write_text

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ('video', 'keypoint', 'joint', 'average')
STREAMS = ('video', 'keypoint')
Runner = Callable[[Sequence[str], Path], None]


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: ``N_name``, the config's file name.
        config: The file.
        streams: The streams of its network.
    """

    name: str
    config: Path
    streams: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name as words, without its number."""
        return self.name.partition('_')[2].replace('_', ' ')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Run the rows of an ablation')
    parser.add_argument('folder', type=Path, help='folder with a config per row')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--out',
        type=Path,
        help='where runs, table and plot go (default: work_dirs/ablation/FOLDER)',
    )
    parser.add_argument('--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='settings for every run, e.g. data_root=FOLDER',
    )
    parser.add_argument(
        '--table-only', action='store_true', help='run nothing, write what is there'
    )
    return parser.parse_args(arguments)


def read_rows(folder: Path) -> list[Row]:
    """The rows in the order of their numbers.

    Raises:
        ConfigError: If the folder holds none.
    """
    found = []
    for path in folder.glob('*.py') if folder.is_dir() else ():
        match = re.fullmatch(r'(\d+)_\w+', path.stem)
        if match:
            model = Config.fromfile(path).model
            streams = tuple(name for name in STREAMS if model.get(name))
            found.append((int(match[1]), Row(path.stem, path, streams)))
    if not found:
        raise ConfigError(f'{folder} has no rows: expected configs named 1_name.py, …')
    return [row for _, row in sorted(found, key=lambda item: item[0])]


def run_tool(command: Sequence[str], log: Path) -> None:
    """Run one of the tools, its output appended to ``log``.

    Raises:
        ConfigError: Naming the log, if it fails.
    """
    with log.open('a', encoding='utf-8') as out:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
    if done.returncode:
        lines = ['', *log.read_text(encoding='utf-8').strip().splitlines()]
        said = [line for line in lines if line.startswith('error: ')] or lines
        raise ConfigError(f'{" ".join(command[:2])} failed, see {log}: {said[-1]}')


def tested_checkpoint(work_dir: Path) -> str:
    """The checkpoint with the best average on the development split, else the last.

    Raises:
        ConfigError: If there is none.
    """
    best = sorted(work_dir.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    found = str(best[-1]) if best else compat.find_latest_checkpoint(work_dir)
    if found is None:
        raise ConfigError(f'{work_dir} has no checkpoint; was training interrupted?')
    return found


def start_options(row: Row, rows: Sequence[Row], folder: Path) -> list[str]:
    """Settings that start a row's streams from the rows that train one alone."""
    if len(row.streams) < 2:
        return []
    alone = {r.streams[0]: r for r in rows if len(r.streams) == 1}
    return [
        f'model.{name}.checkpoint={tested_checkpoint(folder / alone[name].name)}'
        for name in row.streams
        if name in alone
    ]


def run_row(
    row: Row,
    rows: Sequence[Row],
    seed: int,
    args: argparse.Namespace,
    run: Runner = run_tool,
) -> None:
    """Train and test one row with one seed, unless that is done."""
    folder = args.out / f'seed{seed}'
    work_dir = folder / row.name
    metrics = work_dir / 'test_metrics.json'
    if metrics.is_file():
        say(f'seed {seed}, {row.name}: done already')
        return
    say(f'seed {seed}, {row.name}: log in {work_dir}/log.txt')
    work_dir.mkdir(parents=True, exist_ok=True)
    config, log = str(row.config.resolve()), work_dir / 'log.txt'
    options = [*args.cfg_options, *start_options(row, rows, folder)]
    options = ['--cfg-options', *options] if options else []
    train = ['tools/train.py', config, '--work-dir', str(work_dir), '--resume', 'auto']
    train += ['--seed', str(seed), *(['--amp'] if args.amp else []), *options]
    if not (work_dir / '.trained').exists():
        run(train, log)
        (work_dir / '.trained').touch()
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    test = ['tools/test.py', config, tested_checkpoint(work_dir)]
    test += ['--work-dir', str(work_dir / 'test'), '--out', str(metrics), *options]
    run(test, log)


def read_results(
    rows: Sequence[Row], seeds: Sequence[int], out: Path
) -> dict[str, dict[str, list[float]]]:
    """Row name → output → word error rates in percent, one per seed that is done."""
    results: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        found = results.setdefault(row.name, {})
        for seed in seeds:
            path = out / f'seed{seed}' / row.name / 'test_metrics.json'
            if not path.is_file():
                continue
            metrics = json.loads(path.read_text(encoding='utf-8'))
            for output in OUTPUTS:
                if f'{output}/WER' in metrics:
                    found.setdefault(output, []).append(metrics[f'{output}/WER'])
    return results


def cell(values: Sequence[float] | None) -> str:
    """Mean ± sample standard deviation."""
    if not values:
        return '–'
    if len(values) == 1:
        return f'{values[0]:.2f}'
    return f'{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}'


def markdown(rows: Sequence[Row], results: dict, seeds: Sequence[int]) -> str:
    """The table. ``change`` is the average's mean minus the row before's."""
    lines = [
        '| row | ' + ' | '.join(OUTPUTS) + ' | change | runs |',
        '|---' * (len(OUTPUTS) + 3) + '|',
    ]
    before = None
    for row in rows:
        found = results[row.name]
        average = found.get('average')
        mean = statistics.mean(average) if average else None
        change = '–' if None in (mean, before) else f'{mean - before:+.2f}'
        cells = [row.title, *(cell(found.get(output)) for output in OUTPUTS), change]
        lines.append(f'| {" | ".join(cells)} | {len(average or ())} |')
        before = mean
    return (
        '\n'.join(lines)
        + '\n\nWord error rate in percent on the test split, mean ± standard deviation '
        f'over seeds {", ".join(map(str, seeds))}; change: average against the row '
        'above.\n'
    )


def plot(path: Path, rows: Sequence[Row], results: dict) -> None:
    """Write the averages as bars with their spread, every run as a dot."""
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    done = [row for row in rows if results[row.name].get('average')]
    figure = Figure(figsize=(8.0, 1.2 + 0.5 * len(done)))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for place, row in enumerate(done):
        values = results[row.name]['average']
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        mean = statistics.mean(values)
        axes.barh(place, mean, xerr=spread, color='#7fb2e5', capsize=4)
        axes.plot(values, [place] * len(values), 'k.', markersize=5)
    axes.set_yticks(range(len(done)), [row.title for row in done])
    axes.invert_yaxis()
    axes.set_xlabel('word error rate of the average, %')
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main(arguments: list[str] | None = None, run: Runner = run_tool) -> None:
    args = parse_args(arguments)
    rows = read_rows(args.folder)
    args.out = (args.out or Path('work_dirs/ablation') / args.folder.name).resolve()
    check_outputs([args.out], [args.folder], folders=True)
    if not args.table_only:
        # A seed's single streams come first: the others start from them.
        order = sorted(rows, key=lambda row: len(row.streams))
        with interruptible(lambda: 'the same command goes on'):
            for seed in args.seeds:
                for row in order:
                    run_row(row, rows, seed, args, run)
    results = read_results(rows, args.seeds, args.out)
    if not any(results.values()):
        raise ConfigError(f'{args.out} holds no results of {args.folder}')
    table = markdown(rows, results, args.seeds)
    write_text(args.out / 'table.md', table)
    plot(args.out / 'plot.png', rows, results)
    print(f'\n{table}\n{args.out}/table.md, {args.out}/plot.png')


if __name__ == '__main__':
    with reported_errors():
        main()
