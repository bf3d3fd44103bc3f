import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_compares_one_process_and_two():
    sizes = ['--frames=8', '--size=32', '--width=0.125', '--repeats=1']
    done = subprocess.run(
        [sys.executable, 'tools/benchmark/processes.py', '--json', *sizes],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    ratios = [value for key, value in found.items() if key.startswith('ratio')]
    assert len(ratios) == 1 and ratios[0] == pytest.approx(ratios[0]) and ratios[0] > 0
