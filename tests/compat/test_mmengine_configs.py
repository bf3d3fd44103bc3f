"""``_base_`` names configs of a package."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from mmsign.compat.mmengine_configs import bases_of


def test_a_base_of_a_package(tmp_path):
    base, mine = tmp_path / 'base.py', tmp_path / 'mine.py'
    base.write_text('a = 1')
    mine.write_text("_base_ = ['ours::base.py']\nb = 2")
    asked = []

    def find(name: str) -> str:
        asked.append(name)
        return str(base)

    with bases_of('ours', find):
        cfg = Config.fromfile(mine)
    assert asked == ['base'] and (cfg.a, cfg.b) == (1, 2)
    with pytest.raises(ValueError):  # and not behind it
        Config.fromfile(mine)
