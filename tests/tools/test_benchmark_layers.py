import pytest
from benchmark_run import run_benchmark


def test_compares_both():
    sizes = ['--frames=4', '--size=32', '--width=0.125', '--repeats=1']
    found = run_benchmark('tools/benchmark/layers.py', *sizes)
    assert found['input'] == '1x3x4x32x32'
    for what in ('forward', 'step'):
        assert found[f'ratio {what}'] == pytest.approx(
            found[f'{what}, PyTorch, s'] / found[f'{what}, mmsign, s']
        )
    assert found['largest difference, of the largest value'] < 1e-4
