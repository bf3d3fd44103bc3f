from __future__ import annotations

import pytest
from tiny_run import load_tool
from training_logs import write_log

from mmsign.errors import ConfigError, DataError

tool = load_tool('analysis/plot_log')


def test_a_picture_and_a_summary(tmp_path, capsys):
    for name in ('a', 'b'):
        write_log(tmp_path / name / 'run', '20260101_100000', range(1, 3))
    runs = [str(tmp_path / name / 'run') for name in ('a', 'b')]
    out = tmp_path / 'curves.png'
    tool.main([*runs, '--out', str(out)])
    said = capsys.readouterr().out
    assert 'a/run: 8 iterations' in said and 'b/run: 8 iterations' in said
    assert out.stat().st_size > 10_000
    tool.main([*runs, '--names', 'full', 'late'])
    said = capsys.readouterr().out
    assert said.startswith('full: 8') and 'late: 8' in said and 'written' not in said


def test_mistakes(tmp_path, capsys):
    with pytest.raises(DataError, match=str(tmp_path)):
        tool.main([str(tmp_path)])
    log = write_log(tmp_path, '20260101_100000', range(1, 3))
    with pytest.raises(ConfigError, match=str(log)):
        tool.main([str(log), '--out', str(log)])
    with pytest.raises(SystemExit):
        tool.main([str(tmp_path), '--names', 'a', 'b'])
    assert '2 names for 1 trainings' in capsys.readouterr().err
