"""``tools/benchmark/gpu.sh``, as far as a machine without a GPU shows it."""

import subprocess
import sys

import pytest
from tiny_run import TOOLS, load_tool

SCRIPT = str(TOOLS / 'benchmark' / 'gpu.sh')


def test_usage():
    done = subprocess.run(['bash', SCRIPT, '--help'], capture_output=True, text=True)
    assert done.returncode == 0 and 'gpu.md' in done.stdout
    done = subprocess.run(['bash', SCRIPT], capture_output=True, text=True)
    assert done.returncode == 2 and 'Usage' in done.stdout


@pytest.mark.slow
def test_what_fails_is_said_and_the_rest_goes_on(tmp_path, monkeypatch):
    tool = load_tool('benchmark/_gpu')
    parts = [
        ('nothing', 5, ['no_such_script']),
        ('heatmaps', 60, ['heatmaps', '--frames', '2', '--repeats', '1']),
        ('too_long', 1, ['heatmaps', '--frames', '2000']),
    ]
    monkeypatch.setattr(tool, 'PARTS', parts)
    loading = ['heatmaps', '--frames', '1', '--repeats', '1']
    monkeypatch.setattr(tool, 'LOADING', loading)
    monkeypatch.setattr(tool, 'toy_training', lambda out, limit: '## toy\n')
    monkeypatch.setattr(tool, 'tests', lambda out, limit: '## tests\n')
    monkeypatch.setattr(sys, 'argv', ['_gpu.py', str(tmp_path / 'out')])
    tool.main()
    page = (tmp_path / 'out' / 'gpu.md').read_text(encoding='utf-8')
    assert page.index('## summary') < page.index('## nothing')
    assert page.count('FAILED') == 2 and 'no_such_script' in page
    assert '| ratio per pixel / separable |' in page
    assert 'its time was up' in page and page.rstrip().endswith('in all')
    assert (tmp_path / 'out' / 'heatmaps.json').stat().st_size > 100
    assert 'not measured' in page
