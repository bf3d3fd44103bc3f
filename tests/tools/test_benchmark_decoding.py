import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_measures_both_searches():
    command = [sys.executable, 'tools/benchmark/decoding.py', '--json']
    sizes = ['--steps=6', '--classes=8', '--clips=2', '--repeats=1', '--beam-width=3']
    done = subprocess.run(
        command + sizes,
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found['machine']['threads'] == 1
    assert found['input'] == '6 steps, 8 classes, beam 3'
    for kind in ('peaky', 'flat'):
        assert found[f'{kind}, batch of 2, ms/clip'] > 0
        assert found[f'{kind}, ratio straightforward / one clip'] == pytest.approx(
            found[f'{kind}, straightforward, ms/clip']
            / found[f'{kind}, one clip, ms/clip']
        )
