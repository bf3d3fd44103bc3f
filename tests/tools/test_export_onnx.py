"""``tools/export/onnx.py`` as a user runs it."""

from __future__ import annotations

import pytest
from tiny_network import write_network
from tiny_run import load_tool

from mmsign.errors import ConfigError

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')


def test_written_and_compared(tmp_path, capsys):
    config, checkpoint = write_network(tmp_path, ['video'])
    arguments = [str(config), str(checkpoint), str(tmp_path / 'x.onnx')]
    tool = load_tool('export/onnx')
    rows = tool.main([*arguments, '--lengths', '8', '12'])
    said = capsys.readouterr().out
    assert 'video -> video_log_probs, average_log_probs' in said
    assert '  12 frames: difference' in said and len(rows) == 2
    with pytest.raises(ConfigError, match='x.onnx'):
        tool.main([*arguments, '--lengths', '8', '--tolerance', '-1'])
    with pytest.raises(ConfigError, match='--lengths'):
        tool.main([*arguments, '--lengths', '10'])
