from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_run import write_config

import mmsign
from mmsign.compat import distributed
from mmsign.compat.distributed import init_gloo, prepare_distributed
from mmsign.errors import ConfigError

SUPPORT = Path(__file__).parents[1] / 'support'


def test_nothing_changes_without_a_launcher_or_on_a_gpu(monkeypatch):
    for device, launcher in (('cpu', 'none'), ('cuda', 'pytorch')):
        monkeypatch.setattr(distributed, 'get_device', lambda device=device: device)
        cfg = Config({'launcher': launcher, 'sync_bn': 'torch'})
        prepare_distributed(cfg)
        assert cfg._cfg_dict == {'launcher': launcher, 'sync_bn': 'torch'}


def test_the_wrapper_keeps_what_the_config_says(monkeypatch):
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(distributed, 'init_gloo', lambda launcher: None)
    cfg = Config({'launcher': 'pytorch', 'find_unused_parameters': True})
    prepare_distributed(cfg)
    assert cfg.model_wrapper_cfg == {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        'device_ids': None,
        'find_unused_parameters': True,
    }
    cfg = Config(
        {
            'launcher': 'pytorch',
            'sync_bn': 'torch',
            'model_wrapper_cfg': {'type': 'Other', 'device_ids': [0], 'x': 1},
        }
    )
    prepare_distributed(cfg)
    assert cfg.model_wrapper_cfg == {
        'type': 'Other',
        'device_ids': None,
        'broadcast_buffers': False,
        'x': 1,
    }
    assert cfg.sync_bn is None


def test_missing_variables_are_named(monkeypatch):
    for name in ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('SLURM_NTASKS', '2')
    with pytest.raises(ConfigError, match='SLURM_PROCID, SLURM_LOCALID'):
        init_gloo('slurm')


@pytest.mark.slow
@pytest.mark.skipif(
    torch.cuda.is_available(), reason='gloo is for machines without GPU'
)
def test_two_processes_train_alike_and_gather_every_clip(python, tmp_path):
    config = write_config(tmp_path)
    package_root = Path(mmsign.__file__).parents[1]
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join([str(package_root), str(SUPPORT)]),
        'OMP_NUM_THREADS': '1',
        'PYTHON_EXEC': python,  # of the two processes
    }
    command = [python, '-m', 'torch.distributed.run', '--nproc_per_node=2']
    # A free port: several of these may run at once.
    command += ['--master_addr=127.0.0.1', f'--master_port={free_port()}']
    command += [str(SUPPORT / 'gloo_run.py'), str(config), str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (
        json.loads((tmp_path / f'rank{rank}.json').read_text()) for rank in (0, 1)
    )
    assert first == second
    assert first['backend'] == 'gloo' and first['world'] == 2
    # 5 clips on 2 processes: the sampler repeats one, the metric must not.
    assert first['metrics']['clips'] == 5


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]
