"""Runs killed at random moments and resumed end as if nothing had happened.

Three kills of a run of 3 parameters; ``MMSIGN_KILLS=20 pytest tests/test_kills.py``
for more, at other moments each time, and of a two-stream network as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_run import write_config

from mmsign import compat
from mmsign.engine.launch import apply_overrides
from mmsign.toy.corpus import invent_sentences, write_corpus

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get('MMSIGN_KILLS', '0'))
# Each kill takes another iteration.
TINY_EPOCHS, NETWORK_EPOCHS = max(6, KILLS), max(10, KILLS)
NETWORK = {
    'model.video.backbone.width': 0.125,
    'model.keypoint.backbone.width': 0.125,
    'train_dataloader.batch_size': 2,
    'train_dataloader.sampler.batch_size': 2,
    'train_dataloader.num_workers': 1,
    'val_dataloader.num_workers': 0,
    'train_cfg.max_epochs': NETWORK_EPOCHS,
    'train_cfg.val_interval': 1,
}


def kill_and_resume(
    python: str, config: Path, folder: Path, interval: int, epochs: int
) -> None:
    """Kill, resume, and compare with a run that was left alone."""
    command = [python, str(ROOT / 'tests/support/kill_runs.py')]
    command += [str(config), str(folder / 'killed'), '--interval', str(interval)]
    command += ['--kills', str(KILLS or 3)]
    command += ['--seed', str(int(time.time()) if KILLS else 0)]
    paths = [str(ROOT), str(ROOT / 'tests/support')]
    environment = os.environ | dict(
        OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join(paths)
    )
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f'{command}\n{done.stderr[-3000:]}'
    told = json.loads(done.stdout.splitlines()[-1])
    print(told)
    assert len(told['killed_after']) == (KILLS or 3)
    killed, alone = (
        compat.load_checkpoint(folder / run / f'epoch_{epochs}.pth')
        for run in ('killed', 'alone')
    )
    assert state(killed) == state(alone)
    for key, value in alone['state_dict'].items():
        assert torch.equal(killed['state_dict'][key], value), key
    moments = (run['optimizer']['state'] for run in (killed, alone))
    torch.testing.assert_close(*moments, rtol=0, atol=0)


def state(checkpoint: dict) -> dict:
    """Numbers that must not depend on an interruption, other than weights."""
    hub = checkpoint['message_hub']
    info = {
        key: value
        for key, value in hub['runtime_info'].items()
        if key in ('epoch', 'iter', 'best_score', 'validated_epoch')
    }
    info['best_ckpt'] = Path(hub['runtime_info']['best_ckpt']).name
    histories = {
        name: history.data[0].tolist()
        for name, history in hub['log_scalars'].items()
        if 'time' not in name and 'memory' not in name
    }
    assert {'train/loss', 'train/lr'} <= histories.keys()
    return info | dict(scalars=histories, schedules=checkpoint['param_schedulers'])


def test_a_tiny_run(python, tmp_path):
    extra = f'\ntrain_cfg["max_epochs"] = {TINY_EPOCHS}\n'
    config = write_config(tmp_path, extra=extra)
    kill_and_resume(python, config, tmp_path, interval=4, epochs=TINY_EPOCHS)


@pytest.mark.skipif(not KILLS, reason='set MMSIGN_KILLS=20: takes minutes')
def test_a_two_stream_network(python, tmp_path):
    sentences = invent_sentences(dict(train=6, dev=2, test=1), 0, seed=0)
    corpus = tmp_path / 'corpus'
    corpus.mkdir()
    write_corpus(corpus, sentences, 'phoenix2014T', (42, 52), seed=0, workers=1)
    cfg = Config.fromfile(ROOT / 'configs/twostream_slr_toy.py')
    apply_overrides(cfg, {'data_root': str(corpus), **NETWORK})
    cfg.dump(tmp_path / 'network.py')
    config = tmp_path / 'network.py'
    kill_and_resume(python, config, tmp_path, 3, NETWORK_EPOCHS)
