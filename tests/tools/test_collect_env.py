from __future__ import annotations

import sys
from pathlib import Path

import mmengine
import torch
from tiny_run import load_tool

import mmsign

tool = load_tool('collect_env')


def test_versions_and_machine(capsys, monkeypatch):
    monkeypatch.setattr('sys.argv', ['collect_env.py'])
    tool.main()
    found = dict(
        line.split(': ', 1)
        for line in capsys.readouterr().out.splitlines()
        if ': ' in line
    )
    assert found['PyTorch'] == torch.__version__
    assert found['MMEngine'] == mmengine.__version__
    assert found['mmaction2'][0].isdigit()
    assert Path(found['import mmsign']) == Path(mmsign.__file__)


def test_it_works_where_mmsign_does_not(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmsign', None)
    assert tool.environment()['import mmsign'].startswith('fails')
