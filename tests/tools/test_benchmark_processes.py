import pytest
from benchmark_run import run_benchmark


def test_compares_one_process_and_two():
    sizes = ['--frames=8', '--size=32', '--width=0.125', '--repeats=1']
    found = run_benchmark('tools/benchmark/processes.py', '--processes=2', *sizes)
    assert found['ratio of throughput'] == pytest.approx(
        found['2 processes, clips/s together'] / found['one process, clips/s']
    )
    assert found['gradients exchanged in a step, MB'] > 0
