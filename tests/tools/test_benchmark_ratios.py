"""Benchmarks at sizes that say nothing: their ratios are of what they print."""

from __future__ import annotations

import json
import runpy

import pytest
from tiny_run import TOOLS

SMALL = ['--frames=8', '--size=32', '--width=0.125', '--repeats=1']
# Script, its options, ratio → (above, below) as they are printed.
RUNS = {
    'heatmaps': (
        ['--frames=2', '--keypoints=3', '--repeats=1'],
        {
            'ratio per pixel / separable': (
                'per pixel + resize, ms/frame',
                'separable float32, ms/frame',
            ),
            'ratio separable / filling': (
                'separable float32, ms/frame',
                'filling the float32 tensor, ms/frame',
            ),
            'ratio separable bfloat16 / filling': (
                'separable bfloat16, ms/frame',
                'filling the bfloat16 tensor, ms/frame',
            ),
        },
    ),
    'inference': (
        SMALL,
        {
            'ratio network alone': (
                'fast, network alone, frames/s',
                'baseline, network alone, frames/s',
            ),
            'ratio separable / full connections': (
                'fast and separable, network alone, frames/s',
                'fast, network alone, frames/s',
            ),
        },
    ),
    'training_step': (
        SMALL,
        {
            'ratio training step plain / fast': (
                'training step plain, s',
                'training step fast, s',
            ),
            'ratio forward plain / fast': ('forward plain, s', 'forward fast, s'),
        },
    ),
}


@pytest.fixture
def run(monkeypatch, capsys):
    monkeypatch.syspath_prepend(TOOLS / 'benchmark')

    def run(name: str, options: list[str]) -> dict:
        script = str(TOOLS / 'benchmark' / f'{name}.py')
        monkeypatch.setattr('sys.argv', [script, '--json', *options])
        runpy.run_path(script, run_name='__main__')
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


@pytest.mark.parametrize('name', RUNS)
def test_ratios_are_of_what_is_printed(name, run):
    options, ratios = RUNS[name]
    found = run(name, options)
    for ratio, (above, below) in ratios.items():
        assert found[ratio] == pytest.approx(found[above] / found[below]), ratio
    for key, value in found.items():
        if 'difference' in key:
            assert value < 0.01, key


def test_a_tenth_of_the_padding_is_left_by_length(run):
    found = run('padding', [])
    at_random = found['padding drawn at random, %']
    shares = [v for k, v in found.items() if k.startswith('padding by length')]
    assert len(shares) == 3 and sorted(shares, reverse=True) == shares
    assert shares[-1] < at_random / 10


def test_evaluation_counts_every_clip(run):
    found = run('evaluation', ['--clips=10', '--steps=12', '--classes=30'])
    assert found['clips'] == 10 and found['reference words'] > 0
    parts = found['decoding, s'] + found['word error rates, s']
    assert found['together, s'] == pytest.approx(parts)
