"""Trainings of configs with seeds and left-out signers: each run once, and tested."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from _signers import leave_out, signers_of

from mmsign.engine.launch import interruptible, load_config, say
from mmsign.errors import ConfigError
from mmsign.files import write_text
from mmsign.models.weights import best_checkpoint

ROOT = Path(__file__).resolve().parents[2]
STREAMS = ('video', 'keypoint')
Runner = Callable[[Sequence[str], Path], None]
# In a run's folder: what it was run with.
OPTIONS = 'options.json'
_running: set[subprocess.Popen] = set()


@dataclass(frozen=True)
class Row:
    """A config that is run.

    Attributes:
        name: The config's file name.
        config: The file.
        streams: The streams of its network.
    """

    name: str
    config: Path
    streams: tuple[str, ...]

    @classmethod
    def of(cls, config: Path) -> Row:
        """The row of a config file."""
        model = load_config(str(config)).get('model') or {}
        found = tuple(name for name in STREAMS if model.get(name))
        return cls(config.stem, config, found)


@dataclass(frozen=True)
class Run:
    """A training and its test.

    Attributes:
        row: What is trained.
        seed: With which.
        signer: Who is left out of training and tested; None for the config's splits.
        out: Folder of all runs.
    """

    row: Row
    seed: int
    signer: str | None
    out: Path

    @property
    def folder(self) -> Path:
        """Of all rows of this seed and signer."""
        out = self.out
        if self.signer is not None:
            out = out / f'signer_{quote(self.signer, safe=" ")}'
        return out / f'seed{self.seed}'

    @property
    def work_dir(self) -> Path:
        return self.folder / self.row.name

    @property
    def title(self) -> str:
        signer = '' if self.signer is None else f'signer {self.signer}, '
        return f'{signer}seed {self.seed}, {self.row.name}'

    @property
    def metrics(self) -> dict[str, float] | None:
        """Of the test split; None if it is not done."""
        path = self.work_dir / 'test_metrics.json'
        if not path.is_file():
            return None
        return json.loads(path.read_text(encoding='utf-8'))

    @property
    def minutes(self) -> float:
        """That the training took, in all its parts."""
        path = self.work_dir / 'seconds.txt'
        parts = path.read_text().split() if path.is_file() else ()
        return sum(map(float, parts)) / 60


def add_run_arguments(parser: argparse.ArgumentParser, out: str) -> None:
    """Arguments of every tool that runs trainings; ``out`` is the default's name."""
    parser.add_argument(
        '--leave-one-out',
        action='store_true',
        help='test on each signer of the corpus in turn and train on the others',
    )
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        metavar='N',
        help='how many run at a time, each on one thread if several '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, help=f'where runs and results go (default: {out})'
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


def plan(
    rows: Sequence[Row], seeds: Sequence[int], args: argparse.Namespace
) -> list[Run]:
    """All runs, in an order in which each comes after those that it starts from.

    Raises:
        ConfigError: Signers are to be left out, and a corpus names less than two.
    """
    order = sorted(rows, key=lambda row: len(row.streams))
    left_out: dict[Row, list] = dict.fromkeys(rows, [None])
    if args.leave_one_out:
        left_out = {row: signers_of(row.config, args.cfg_options) for row in rows}
    signers = dict.fromkeys(signer for found in left_out.values() for signer in found)
    return [
        Run(row, seed, signer, args.out)
        for signer in signers
        for seed in seeds
        for row in order
        if signer in left_out[row]
    ]


def execute(
    runs: Sequence[Run], args: argparse.Namespace, run: Runner | None = None
) -> None:
    """Do what is not done yet, ``args.jobs`` at a time.

    Args:
        runs: As ``plan`` gives them.
        args: See ``add_run_arguments``.
        run: Runs a tool; see ``run_tool``.

    Raises:
        ConfigError: A run failed, none was begun after it; or one that is there had
            other options, none was begun then.
    """
    if args.jobs < 1:
        raise ConfigError(f'--jobs must be 1 or more, not {args.jobs}')
    for one in runs:
        _check_options(one, args)
    alone = args.jobs == 1
    run = run or partial(run_tool, threads=None if alone else 1)
    with interruptible(lambda: 'the same command goes on'):
        if alone:
            for one in runs:
                _run_once(one, runs, args, run)
            return
        with ThreadPoolExecutor(args.jobs) as pool:
            jobs: dict[Run, Any] = {}

            def after_its_starts(one: Run) -> None:
                # They were begun before this one.
                for start in _starts(one, runs):
                    jobs[start].result()
                _run_once(one, runs, args, run)

            try:
                for one in runs:
                    jobs[one] = pool.submit(after_its_starts, one)
                for job in jobs.values():
                    job.result()
            except KeyboardInterrupt:
                for process in list(_running):
                    process.terminate()
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def run_tool(command: Sequence[str], log: Path, threads: int | None = None) -> None:
    """Run one of the tools, its output appended to ``log``.

    It runs in the current folder, from which the signers are read, too: a relative
    ``data_root`` is the same corpus to both.

    Args:
        command: The script, relative to the checkout, and its arguments.
        log: A file.
        threads: That compute, unless the environment says how many.

    Raises:
        ConfigError: Naming the log, if it fails.
    """
    environment = dict(os.environ)
    if threads is not None:
        environment.setdefault('OMP_NUM_THREADS', str(threads))
    with log.open('a', encoding='utf-8') as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / command[0]), *command[1:]],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _running.add(process)
        try:
            process.wait()
        finally:
            process.terminate()
            _running.discard(process)
    if process.returncode:
        lines = ['', *log.read_text(encoding='utf-8').strip().splitlines()]
        said = [line for line in lines if line.startswith('error: ')] or lines
        raise ConfigError(f'{" ".join(command[:2])} failed, see {log}: {said[-1]}')


def _starts(run: Run, runs: Iterable[Run]) -> list[Run]:
    """The runs of single streams that a network of both starts from."""
    if len(run.row.streams) < 2:
        return []
    return [
        other
        for other in runs
        if len(other.row.streams) == 1 and other.folder == run.folder
    ]


def _options_of(args: argparse.Namespace) -> list[str]:
    return sorted(args.cfg_options) + ['--amp'] * args.amp


def _check_options(one: Run, args: argparse.Namespace) -> None:
    """Raise ConfigError if a run was begun with other options."""
    path = one.work_dir / OPTIONS
    if not path.is_file():
        return
    before = json.loads(path.read_text(encoding='utf-8'))
    if before != _options_of(args):
        raise ConfigError(
            f'{one.title} in {one.work_dir} was run with other options, '
            f'{" ".join(before) or "none"}: name another folder with --out'
        )


def _run_once(
    one: Run, runs: Sequence[Run], args: argparse.Namespace, run: Runner
) -> None:
    """Train and test, unless that is done."""
    work_dir, log = one.work_dir, one.work_dir / 'log.txt'
    if one.metrics is not None:
        say(f'{one.title}: done already')
        return
    say(f'{one.title}: log in {log}')
    work_dir.mkdir(parents=True, exist_ok=True)
    write_text(work_dir / OPTIONS, json.dumps(_options_of(args)))
    config = str(one.row.config.resolve())
    shared = [
        *args.cfg_options,
        *leave_out(one.signer, one.row.config, args.cfg_options),
    ]
    starts = {start.row.streams[0]: start for start in _starts(one, runs)}
    options = [
        *shared,
        *(
            f'model.{name}.checkpoint={best_checkpoint(str(starts[name].work_dir))}'
            for name in one.row.streams
            if name in starts
        ),
    ]
    options = ['--cfg-options', *options] if options else []
    train = ['tools/train.py', config, '--work-dir', str(work_dir), '--resume', 'auto']
    train += ['--seed', str(one.seed), *(['--amp'] if args.amp else []), *options]
    if not (work_dir / '.trained').exists():
        begin = time.monotonic()
        try:
            run(train, log)
        finally:
            with open(work_dir / 'seconds.txt', 'a', encoding='ascii') as file:
                file.write(f'{time.monotonic() - begin:.1f}\n')
        (work_dir / '.trained').touch()
    options = ['--cfg-options', *shared] if shared else []
    test = ['tools/test.py', config, best_checkpoint(str(work_dir))]
    test += ['--work-dir', str(work_dir / 'test')]
    run([*test, '--out', str(work_dir / 'test_metrics.json'), *options], log)


def spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation, of several."""
    if not values:
        return '–'
    if len(values) == 1:
        return f'{values[0]:.2f}'
    return f'{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}'


def find_rows(folder: Path) -> list[Row]:
    """The configs ``N_name.py`` of a folder in the order of their numbers.

    Raises:
        ConfigError: If the folder holds none.
    """
    found = []
    for path in folder.glob('*.py') if folder.is_dir() else ():
        if match := re.fullmatch(r'(\d+)_\w+', path.stem):
            found.append((int(match[1]), path))
    if not found:
        raise ConfigError(f'{folder} has no rows: expected configs named 1_name.py, …')
    return [Row.of(path) for _, path in sorted(found)]
