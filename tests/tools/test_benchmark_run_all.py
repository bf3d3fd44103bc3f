"""``tools/benchmark/run_all.py``, and through it ``loading.py``, on little."""

from __future__ import annotations

import pytest
from tiny_run import load_tool

SMALL = ['--clips', '2', '--frames', '4', '--workers', '0', '--repeats', '1']


def test_a_benchmark_becomes_a_table(monkeypatch, capsys):
    tool = load_tool('benchmark/run_all')
    monkeypatch.setattr(tool, 'COMMANDS', dict(loading=SMALL, decoding=[]))
    monkeypatch.setattr('sys.argv', ['run_all.py', 'loading'])
    tool.main()
    said = capsys.readouterr().out
    assert '`python tools/benchmark/loading.py --clips 2 --frames 4' in said
    assert '| what | value |' in said and 'torch' in said


def test_unknown_and_failed_benchmarks(monkeypatch, capsys):
    tool = load_tool('benchmark/run_all')
    monkeypatch.setattr('sys.argv', ['run_all.py', 'singing'])
    with pytest.raises(SystemExit):
        tool.main()
    assert 'no benchmark singing' in capsys.readouterr().err
    monkeypatch.setattr(tool, 'COMMANDS', dict(loading=['--clips', 'many']))
    monkeypatch.setattr('sys.argv', ['run_all.py', 'loading'])
    with pytest.raises(SystemExit, match='failed: loading'):
        tool.main()
