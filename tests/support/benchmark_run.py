"""Runs a script of tools/benchmark as a user does, with ``--json``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_benchmark(script: str, *options: str) -> dict:
    """What the script prints; raises if it fails."""
    done = subprocess.run(
        [sys.executable, script, '--json', *options],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
