"""Run the rows of an ablation: ``python tools/analysis/ablation.py FOLDER``.

FOLDER holds one config per row, ``N_name.py``, in the order of the table. Every row
is trained and tested with every seed by ``tools/train.py`` and ``tools/test.py``. As
in the paper's recipe, rows with both streams start from the same seed's checkpoints of
the rows with one stream. What is done is skipped, and an interrupted training goes on.
Writes ``table.md`` (word error rate, mean and spread over the seeds, and over the
signers with --leave-one-out) and ``plot.png``.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from _runs import Row, Run, Runner, add_run_arguments, execute, find_rows, plan, spread
from _signers import notices

from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs, write_text

OUTPUTS = ('video', 'keypoint', 'joint', 'average')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Run the rows of an ablation')
    parser.add_argument('folder', type=Path, help='folder with a config per row')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    add_run_arguments(parser, 'work_dirs/ablation/FOLDER')
    return parser.parse_args(arguments)


def title_of(row: Row) -> str:
    """The name as words, without its number."""
    return row.name.partition('_')[2].replace('_', ' ')


def read_results(
    rows: Sequence[Row], runs: Sequence[Run]
) -> dict[str, dict[str, list[float]]]:
    """Row name → output → word error rates in percent, one per run that is done."""
    results: dict[str, dict[str, list[float]]] = {row.name: {} for row in rows}
    for run in runs:
        found, metrics = results[run.row.name], run.metrics or {}
        for output in OUTPUTS:
            if f'{output}/WER' in metrics:
                found.setdefault(output, []).append(metrics[f'{output}/WER'])
    return results


def markdown(rows: Sequence[Row], results: dict, runs: Sequence[Run]) -> str:
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
        rates = (spread(found.get(output, ())) for output in OUTPUTS)
        cells = [title_of(row), *rates, change]
        lines.append(f'| {" | ".join(cells)} | {len(average or ())} |')
        before = mean
    over = 'seeds ' + ', '.join(map(str, dict.fromkeys(run.seed for run in runs)))
    signers = dict.fromkeys(run.signer for run in runs if run.signer is not None)
    if signers:
        over += f' and signers {", ".join(signers)}, each left out of training'
    return (
        '\n'.join(lines)
        + '\n\nWord error rate in percent on the test split, mean ± standard deviation '
        f'over {over}; change: average against the row above.\n'
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
    axes.set_yticks(range(len(done)), [title_of(row) for row in done])
    axes.invert_yaxis()
    axes.set_xlabel('word error rate of the average, %')
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main(arguments: list[str] | None = None, run: Runner | None = None) -> None:
    args = parse_args(arguments)
    rows = find_rows(args.folder)
    args.out = (args.out or Path('work_dirs/ablation') / args.folder.name).resolve()
    check_outputs([args.out], [args.folder], folders=True)
    runs = plan(rows, args.seeds, args)
    if not args.table_only:
        execute(runs, args, run)
    results = read_results(rows, runs)
    if not any(results.values()):
        raise ConfigError(f'{args.out} holds no results of {args.folder}')
    parts = [
        markdown(rows, results, runs),
        *notices(((r.row.config, r.signer) for r in runs), args.cfg_options),
    ]
    table = '\n'.join(parts)
    write_text(args.out / 'table.md', table)
    plot(args.out / 'plot.png', rows, results)
    print(f'\n{table}\n{args.out}/table.md, {args.out}/plot.png')


if __name__ == '__main__':
    with reported_errors():
        main()
