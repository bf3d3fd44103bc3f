import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_compares_both():
    sizes = ['--frames=4', '--size=32', '--width=0.125', '--repeats=1']
    done = subprocess.run(
        [sys.executable, 'tools/benchmark/convolutions.py', '--json', *sizes],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found['input'] == '1x3x4x32x32'
    assert found['ratio step'] > 0 and found['ratio forward'] > 0
    assert found['largest difference, of the largest value'] < 1e-4
