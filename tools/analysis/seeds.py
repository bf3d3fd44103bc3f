"""Run configs with several seeds: ``python tools/analysis/seeds.py CONFIG… --seeds N``.

Every config is trained and tested with the seeds 0 to N - 1 by ``tools/train.py`` and
``tools/test.py``; with --leave-one-out once more for each signer, who is tested on and
left out of training. A network of two streams starts from the same seed's checkpoints
of configs of one stream, if they are given as well. What is done is skipped, and an
interrupted training goes on. Writes ``table.md`` and ``results.json``.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from _runs import Row, Run, Runner, add_run_arguments, execute, plan, spread
from _signers import notices

from mmsign.engine.launch import reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs, write_text

# The averaged output alone: the best of several heads would flatter the result.
MEASURE = re.compile(r'average/(WER|accuracy@\d+)')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Run configs with several seeds')
    parser.add_argument('configs', type=Path, nargs='+', metavar='CONFIG')
    parser.add_argument(
        '--seeds', type=int, default=3, metavar='N', help='default: %(default)s'
    )
    add_run_arguments(parser, 'work_dirs/seeds')
    return parser.parse_args(arguments)


def groups(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """The runs that are done, by config and signer; all signers together as ``all``."""
    found: dict[tuple[str, str], list[Run]] = {}
    # Config by config, whatever the order they were run in.
    for name in dict.fromkeys(run.row.name for run in runs):
        done = [run for run in runs if run.row.name == name and run.metrics is not None]
        for run in done:
            if run.signer is not None:
                found.setdefault((name, run.signer), []).append(run)
        if done:
            found[name, 'all'] = done
    return found


def markdown(runs: Sequence[Run]) -> str:
    """The table.

    Raises:
        ConfigError: The metrics have nothing to tabulate.
    """
    found = groups(runs)
    keys = {key for done in found.values() for run in done for key in run.metrics}
    measures = sorted(filter(MEASURE.fullmatch, keys))
    if not measures:
        raise ConfigError(f'the metrics have no average/WER, but {sorted(keys)[:8]}')
    by_signer = any(run.signer is not None for run in runs)
    heads = ['config', *(['signer'] if by_signer else []), 'runs']
    for measure in measures:
        heads += [measure.partition('/')[2], 'min', 'max']
    heads.append('minutes')
    lines = [f'| {" | ".join(heads)} |', '|---' * len(heads) + '|']
    for (name, signer), done in found.items():
        cells = [name, *([signer] if by_signer else []), str(len(done))]
        for measure in measures:
            values = [r.metrics[measure] for r in done if measure in r.metrics]
            ends = [f'{end(values):.2f}' if values else '–' for end in (min, max)]
            cells += [spread(values), *ends]
        cells.append(spread([run.minutes for run in done]))
        lines.append(f'| {" | ".join(cells)} |')
    over = 'seeds, and over the signers under `all`' if by_signer else 'seeds'
    return '\n'.join(lines) + (
        '\n\nOf the averaged output on the test split, in percent: mean ± standard '
        f'deviation over {over}; minutes of training.\n'
    )


def records(runs: Sequence[Run]) -> list[dict]:
    """What is done, run by run."""
    return [
        dict(
            config=run.row.name,
            seed=run.seed,
            signer=run.signer,
            minutes=round(run.minutes, 2),
            metrics=run.metrics,
        )
        for run in runs
        if run.metrics is not None
    ]


def main(arguments: list[str] | None = None, run: Runner | None = None) -> None:
    args = parse_args(arguments)
    if args.seeds < 1:
        raise ConfigError(f'--seeds must be 1 or more, not {args.seeds}')
    rows = [Row.of(path) for path in args.configs]
    (name, count), *_ = Counter(row.name for row in rows).most_common(1)
    if count > 1:
        raise ConfigError(f'{count} configs are called {name}: rename all but one')
    args.out = (args.out or Path('work_dirs/seeds')).resolve()
    check_outputs([args.out], args.configs, folders=True)
    runs = plan(rows, range(args.seeds), args)
    if not args.table_only:
        execute(runs, args, run)
    done = records(runs)
    if not done:
        raise ConfigError(f'{args.out} holds no results of these configs')
    said = notices(((r.row.config, r.signer) for r in runs), args.cfg_options)
    table = '\n'.join([markdown(runs), *said])
    write_text(args.out / 'table.md', table)
    results = json.dumps(dict(runs=done, notices=said), indent=2, ensure_ascii=False)
    write_text(args.out / 'results.json', f'{results}\n')
    print(f'\n{table}\n{args.out}/table.md, {args.out}/results.json')


if __name__ == '__main__':
    with reported_errors():
        main()
