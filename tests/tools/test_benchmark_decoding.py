import pytest
from benchmark_run import run_benchmark


def test_measures_both_searches():
    sizes = ['--steps=6', '--classes=8', '--clips=2', '--repeats=1', '--beam-width=3']
    found = run_benchmark('tools/benchmark/decoding.py', *sizes)
    assert found['machine']['threads'] == 1
    assert found['input'] == '6 steps, 8 classes, beam 3'
    for kind in ('peaky', 'flat'):
        assert found[f'{kind}, batch of 2, ms/clip'] > 0
        assert found[f'{kind}, ratio straightforward / one clip'] == pytest.approx(
            found[f'{kind}, straightforward, ms/clip']
            / found[f'{kind}, one clip, ms/clip']
        )
