import pytest
from benchmark_run import run_benchmark


def test_measures_decoding_training_and_memory():
    sizes = ['--sentences=2', '--steps=4', '--beam-width=2', '--batch-size=2']
    sizes += ['--frames=8', '--size=32', '--memory-vocabulary=100']
    sizes += ['--memory-steps=4', '--memory-tokens=3']
    found = run_benchmark('tools/benchmark/translation.py', *sizes)
    for tokens in (15, 60):
        assert found[f'{tokens} tokens, ms per sentence and token'] > 0
    assert found['ratio frames / features'] == pytest.approx(
        found['from frames, ms per clip'] / found['from features, ms per clip']
    )
    # mBART-large without its embedding of 250,027 ids: 611 - 256 million.
    assert found['parameters, millions'] == pytest.approx(354.8, abs=0.5)
    assert found['together, GiB'] > found['weights, gradients, Adam, GiB'] > 5
