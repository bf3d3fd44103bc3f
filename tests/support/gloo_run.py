"""Run by test_distributed.py in two processes: train, validate, gather."""

from __future__ import annotations

import json
import sys

import torch.distributed as dist
from mmengine.config import Config
from mmengine.runner import Runner

from mmsign.compat import prepare_distributed
from mmsign.engine.launch import end_process

if __name__ == '__main__':
    config, work_dir = sys.argv[1:]
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(
        {'work_dir': work_dir, 'launcher': 'pytorch', 'sync_bn': 'torch'}
    )
    cfg.train_cfg.max_epochs = 1
    prepare_distributed(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    weights = [p.tolist() for p in runner.model.parameters()]
    result = {
        'backend': dist.get_backend(),
        'world': dist.get_world_size(),
        'metrics': runner.val(),
        'weights': weights,
    }
    with open(f'{work_dir}/rank{dist.get_rank()}.json', 'w') as file:
        json.dump(result, file)
    dist.barrier()
    end_process()
