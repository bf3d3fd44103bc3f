"""``tools/analysis/clip_view.py`` as a user runs it."""

from __future__ import annotations

import cv2
import pytest
from tiny_run import TOOLS, load_tool

from mmsign.errors import ConfigError

tool = load_tool('analysis/clip_view')
CONFIG = str(TOOLS.parent / 'configs' / 'twostream_slr_toy.py')


def test_two_rows_of_frames(phoenix_tree, tmp_path, capsys):
    out = tmp_path / 'new' / 'view.png'
    options = ['--cfg-options', f'data_root={phoenix_tree}']
    arguments = ['--columns', '3', '--side', '48', '--clip', '1', *options]
    tool.main([CONFIG, str(out), *arguments])
    picture = cv2.imread(str(out))
    assert picture.shape == (96, 144, 3)
    assert picture[:48].std() > 10 and (picture[:48] != picture[48:]).any()
    assert capsys.readouterr().out.strip().endswith('test-b, SONNE')
    for wrong in ([str(out), '--clip', '2'], [str(out.with_suffix('.jpg'))]):
        with pytest.raises(ConfigError, match=r'--clip 2|view\.jpg'):
            tool.main([CONFIG, *wrong, *options])
