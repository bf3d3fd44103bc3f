"""Test a recognizer: ``python tools/test.py CONFIG CHECKPOINT [options]``.

The options are those of MMAction2's tool of the same name.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch.distributed
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmsign.launch import (
    LaunchError,
    add_common_arguments,
    check_data_roots,
    end_process,
    load_config,
    prepare,
    reported_errors,
    resolve_vocabulary,
)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a sign language recognizer')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    add_common_arguments(parser)
    parser.add_argument('--out', metavar='FILE', help='write the metrics as JSON')
    parser.add_argument(
        '--dump',
        metavar='FILE.pkl',
        help='write the predictions as a pickle, as MMAction2 does',
    )
    return parser.parse_args(arguments)


def add_dump(cfg: Config, path: str) -> None:
    """Have the predictions written to ``path``."""
    if not path.endswith(('.pkl', '.pickle')):
        raise LaunchError(f'--dump takes a .pkl file, not {path}')
    evaluators = cfg.test_evaluator
    if not isinstance(evaluators, (list, tuple)):
        evaluators = [evaluators]
    cfg.test_evaluator = [*evaluators, {'type': 'DumpResults', 'out_file_path': path}]


def write_metrics(metrics: dict[str, float], path: str) -> None:
    """Write ``metrics`` as a JSON object with sorted keys."""
    plain = {
        key: value if isinstance(value, (int, str)) else float(value)
        for key, value in metrics.items()
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain, indent=2, sort_keys=True) + '\n'
    target.write_text(text, encoding='utf-8')


def main(arguments: list[str] | None = None) -> dict[str, float]:
    args = parse_args(arguments)
    cfg = load_config(args.config)
    if not Path(args.checkpoint).is_file():
        raise LaunchError(f'checkpoint {args.checkpoint} does not exist')
    prepare(cfg, args)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.dump is not None:
        add_dump(cfg, args.dump)
    check_data_roots(cfg, ('test_dataloader',))
    resolve_vocabulary(cfg, args.checkpoint)
    runner = Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)
    metrics = runner.test()
    if args.out is not None and is_main_process():
        write_metrics(metrics, args.out)
    if torch.distributed.is_initialized():
        # None may leave while another still talks to it.
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    return metrics


if __name__ == '__main__':
    with reported_errors():
        main()
    end_process()
