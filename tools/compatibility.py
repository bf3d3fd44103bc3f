"""Run the test suite on every supported set of versions.

    python tools/compatibility.py                      every cell, every test
    python tools/compatibility.py --cells numpy-1 --groups compat models

A cell is an environment: it is made under FOLDER/CELL with the pins below, everything
else at its newest. The tests run folder by folder; a folder that passed is not run
again, so an interrupted call, or one with failures, is continued by the same call.
Remove FOLDER/CELL to start a cell over. FOLDER/table.md is written after each step;
FOLDER/CELL/*.log say what pip and pytest said.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = (ROOT / 'requirements/torch.txt').read_text(encoding='utf-8')
TESTED_TORCH = re.search(r'^torch==\S+', REFERENCE, re.MULTILINE).group()
SHOWN = ('torch', 'mmaction2', 'transformers', 'numpy', 'opencv-python')
# What does not hold where packages lie in two places.
NOT_LAYERED = 'tests/test_setup.py::test_this_environment_is_seen'
# OpenCV from 4.12 on asks for numpy 2.
NUMPY_1 = ('numpy<2', 'opencv-python<4.12', 'opencv-contrib-python<4.12')
CELLS: dict[str, tuple[str, ...]] = {
    'reference': (TESTED_TORCH, 'mmaction2==1.1.0', 'transformers>=5'),
    'mmaction2-1.2': (TESTED_TORCH, 'mmaction2==1.2.0', 'transformers>=5'),
    'transformers-4': (TESTED_TORCH, 'mmaction2==1.1.0', 'transformers<4.50'),
    'numpy-1': (TESTED_TORCH, 'mmaction2==1.1.0', 'transformers>=5', *NUMPY_1),
    'newest-torch': ('torch>2.13', 'mmaction2==1.1.0', 'transformers>=5'),
    # The oldest of all at once; torch 2.1 was built for numpy 1.
    'oldest': ('torch<2.2', 'mmaction2==1.1.0', 'transformers==4.38.2', *NUMPY_1),
}
VERSIONS = """
import importlib.metadata as m, json, sys
found = {name: m.version(name) for name in sys.argv[1:]}
print(json.dumps(found | {'Python': sys.version.split()[0]}))
"""


@dataclass(frozen=True)
class Counts:
    """Of one folder's tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )


def test_groups() -> dict[str, list[str]]:
    """Folders of tests, and the files beside them as one group ``top``."""
    tests = ROOT / 'tests'
    groups = {
        folder.name: [str(folder.relative_to(ROOT))]
        for folder in sorted(tests.iterdir())
        if folder.is_dir() and any(folder.rglob('test_*.py'))
    }
    top = sorted(str(f.relative_to(ROOT)) for f in tests.glob('test_*.py'))
    return groups | {'top': top}


def read_counts(report: Path) -> tuple[Counts, list[str]]:
    """Counts and failures of a JUnit report."""
    failures, skipped, total = [], 0, 0
    for case in ElementTree.parse(report).getroot().iter('testcase'):
        total += 1
        kinds = {child.tag for child in case}
        if kinds & {'failure', 'error'}:
            failures.append(f'{case.get("classname")}::{case.get("name")}')
        elif 'skipped' in kinds:
            skipped += 1
    failed = len(failures)
    return Counts(total - failed - skipped, failed, skipped), failures


class Cell:
    """One environment and what its tests said.

    Args:
        folder: Of all cells.
        name: One of ``CELLS``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.name = name
        self.python = self.folder / 'env' / 'bin' / 'python'
        self.record = self.folder / 'results.json'
        self.results: dict = dict(pins=list(CELLS[name]), groups={})
        if self.record.is_file():
            found = json.loads(self.record.read_text(encoding='utf-8'))
            # Other pins make another cell.
            if found['pins'] == self.results['pins']:
                self.results = found

    def build(self, base: Path | None) -> bool:
        """Make the environment unless it is there; False if pip cannot.

        Args:
            base: Interpreter of an environment to put it on; None for a new one.
        """
        if 'versions' in self.results and self.python.is_file():
            return True
        self.folder.mkdir(parents=True, exist_ok=True)
        pins = self.folder / 'pins.txt'
        pins.write_text('\n'.join(CELLS[self.name]) + '\n', encoding='utf-8')
        environment = self.folder / 'env'
        make = [sys.executable, '-m', 'venv', '--clear', str(environment)]
        # Bytecode of all that is never imported takes longer than the rest.
        install = ['install', '--no-compile', '-c', str(pins)]
        if base is None:
            pip = [str(self.python), '-m', 'pip', *install]
            # The pins together and first: setup.py keeps what it finds installed.
            steps = [make, [*pip, *CELLS[self.name]], [*pip, '-e', f'{ROOT}[all]']]
        else:
            pip = [str(base), '-m', 'pip', '--python', str(self.python), *install]
            steps = [[*make, '--without-pip'], [*pip, *CELLS[self.name]]]
        with (self.folder / 'build.log').open('w', encoding='utf-8') as log:
            for step in steps:
                done = subprocess.run(step, stdout=log, stderr=subprocess.STDOUT)
                if done.returncode:
                    self.results['error'] = 'pip makes no such environment: build.log'
                    self.save()
                    return False
                if base is not None:
                    # What is not installed here is found there.
                    fallback = packages_of(self.python) / 'base.pth'
                    fallback.write_text(f'{packages_of(base)}\n', encoding='utf-8')
        versions = subprocess.run(
            [str(self.python), '-c', VERSIONS, *SHOWN],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        self.results.pop('error', None)
        self.results['layered'] = base is not None
        self.results['versions'] = json.loads(versions)
        self.save()
        return True

    def run(self, group: str, paths: list[str], processes: int) -> None:
        """Run a group of tests unless it has passed."""
        before = self.results['groups'].get(group)
        if before is not None and before['status'] == 0:
            return
        report = self.folder / f'{group}.xml'
        report.unlink(missing_ok=True)
        command = [str(self.python), '-m', 'pytest', '-q', f'--junitxml={report}']
        command += ['-n', str(processes), '--dist', 'loadfile', *paths]
        if self.results.get('layered'):
            command += ['--deselect', NOT_LAYERED]
        environment = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
        for name in ('VIRTUAL_ENV', 'PYTHONHOME'):
            environment.pop(name, None)
        start = time.monotonic()
        with (self.folder / f'{group}.log').open('w', encoding='utf-8') as log:
            status = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            ).returncode
        counts, failures = Counts(), ['pytest ended early']
        if report.is_file():
            counts, failures = read_counts(report)
        self.results['groups'][group] = dict(
            status=status,
            counts=vars(counts),
            failures=failures,
            seconds=round(time.monotonic() - start),
            revision=revision(),
        )
        self.save()

    def save(self) -> None:
        text = json.dumps(self.results, indent=1) + '\n'
        partial = self.record.with_suffix('.partial')
        partial.write_text(text, encoding='utf-8')
        partial.replace(self.record)


def packages_of(python: Path) -> Path:
    """Folder of an interpreter's packages."""
    ask = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    done = subprocess.run(
        [str(python), '-c', ask], check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


def revision() -> str:
    """Of the checkout, with a + if it has changes; empty where git is not."""
    git = ['git', '-C', str(ROOT)]
    try:
        head = subprocess.run(
            [*git, 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True
        ).stdout.strip()
        changed = subprocess.run([*git, 'diff', '--quiet', 'HEAD']).returncode
    except OSError:
        return ''
    return head + ('+' if changed else '')


def table(cells: list[Cell]) -> str:
    """Markdown: versions and counts of each cell, then what failed."""
    heads = ['cell', 'Python', *SHOWN, 'passed', 'failed', 'skipped', 'not run']
    lines = [f'| {" | ".join(heads)} |', '|' + '---|' * len(heads)]
    failed: list[str] = []
    groups = test_groups()
    for cell in cells:
        versions = cell.results.get('versions', {})
        total = Counts()
        for name, result in cell.results['groups'].items():
            total += Counts(**result['counts'])
            failed += [
                f'- {cell.name}, {name}: `{failure}`' for failure in result['failures']
            ]
        if 'error' in cell.results:
            failed.append(f'- {cell.name}: {cell.results["error"]}')
        missing = [name for name in groups if name not in cell.results['groups']]
        row = [cell.name, *(versions.get(name, '—') for name in ('Python', *SHOWN))]
        row += [str(n) for n in (total.passed, total.failed, total.skipped)]
        left = 'all' if len(missing) == len(groups) else ', '.join(missing)
        lines.append(f'| {" | ".join([*row, left or "—"])} |')
    if failed:
        lines += ['', 'Failed:', '', *failed]
    return '\n'.join(lines) + '\n'


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    groups = test_groups()
    parser.add_argument(
        '--folder', type=Path, default=ROOT / 'work_dirs' / 'compatibility'
    )
    parser.add_argument(
        '--base',
        type=Path,
        metavar='PYTHON',
        help='put the cells on the packages of this environment, so that only what '
        'differs is installed; quicker, but pip does not check the rest against it',
    )
    parser.add_argument('--cells', nargs='+', choices=CELLS, default=list(CELLS))
    parser.add_argument('--groups', nargs='+', choices=groups, default=list(groups))
    parser.add_argument('--processes', type=int, default=2, help='of pytest')
    parser.add_argument(
        '--build-only', action='store_true', help='make the environments, run nothing'
    )
    args = parser.parse_args(arguments)
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    def write_table() -> str:
        text = table([Cell(folder, name) for name in CELLS])
        (folder / 'table.md').write_text(text, encoding='utf-8')
        return text

    for name in args.cells:
        cell = Cell(folder, name)
        print(f'{name}: making the environment', flush=True)
        if not cell.build(args.base) or args.build_only:
            write_table()
            continue
        for group in args.groups:
            print(f'{name}: {group}', flush=True)
            cell.run(group, groups[group], args.processes)
            write_table()
    print(write_table())
    cells = [Cell(folder, name) for name in args.cells]
    bad = any(
        'error' in cell.results
        or any(result['status'] for result in cell.results['groups'].values())
        for cell in cells
    )
    return int(bad)


if __name__ == '__main__':
    sys.exit(main())
