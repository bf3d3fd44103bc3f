from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from tiny_run import unique_name, write_config

from mmsign.engine.hooks import late


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(late, 'is_on_its_way', lambda values: True)


def test_values_are_seen_one_step_later_and_before_a_checkpoint(on_gpu):
    hook, seen = late.LateHook(), []
    values = torch.zeros(1)
    for step in range(3):
        hook.look_later(values.fill_(step), lambda v: seen.append(v.item()))
        assert seen == list(range(step))  # as they were, whatever happened since
    hook.before_save_checkpoint(None, {})
    assert seen == [0, 1, 2]
    hook.after_train_epoch(None)
    assert seen == [0, 1, 2]


def test_on_a_cpu_they_are_seen_at_once():
    seen = []
    late.LateHook().look_later(torch.ones(2), lambda v: seen.append(v.tolist()))
    assert seen == [[1.0, 1.0]]


@pytest.mark.slow
def test_the_log_is_the_same(tmp_path, monkeypatch):
    logs = []
    for name in ('now', 'late'):
        monkeypatch.setattr(late, 'is_on_its_way', lambda _, name=name: name == 'late')
        (tmp_path / name).mkdir()
        cfg = Config.fromfile(write_config(tmp_path / name))
        cfg.work_dir = str(tmp_path / name / 'work')
        cfg.default_hooks.runtime_info = dict(type='LateRuntimeInfoHook')
        cfg.default_hooks.logger = dict(type='LoggerHook', interval=3)
        cfg.experiment_name = unique_name()
        Runner.from_cfg(cfg).train()
        (file,) = Path(cfg.work_dir).glob('*/vis_data/scalars.json')
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        logs.append([row['loss'] for row in rows if 'loss' in row])
    assert logs[0] == pytest.approx(logs[1]) and len(logs[0]) > 2
