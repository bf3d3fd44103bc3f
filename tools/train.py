"""Train a recognizer: ``python tools/train.py CONFIG [options]``.

The options are those of MMAction2's tool of the same name.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmengine.config import Config, ConfigDict

from mmsign import compat
from mmsign.engine.launch import (
    add_common_arguments,
    build_runner,
    check_data_roots,
    check_development,
    check_work_dir,
    end_process,
    interruptible,
    leave_out_validation,
    leave_process_group,
    load_config,
    locked_work_dir,
    prepare,
    reported_errors,
    resolve_vocabulary,
    say_what_is_tested,
    spread_batch,
)
from mmsign.errors import ConfigError


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a sign language recognizer')
    parser.add_argument('config', help='config file')
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint or, without a value, from the latest one in '
        'the work folder if there is one',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: bfloat16 where the machine has it, else float16',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate during training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the clips of an update (total_batch_size), '
        "relative to the config's auto_scale_lr.base_batch_size",
    )
    parser.add_argument('--seed', type=int, help='random seed (default: the config)')
    parser.add_argument(
        '--diff-rank-seed',
        action='store_true',
        help='use a different seed in each process',
    )
    parser.add_argument(
        '--deterministic',
        action='store_true',
        help='use deterministic algorithms, also where they are slower',
    )
    return parser.parse_args(arguments)


def merge_args(cfg: Config, args: argparse.Namespace) -> None:
    """Write the arguments of training into ``cfg``."""
    if args.no_validate:
        leave_out_validation(cfg)
    if args.amp:
        compat.use_mixed_precision(cfg.optim_wrapper)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise ConfigError(
                '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=N) in the '
                'config'
            )
        cfg.auto_scale_lr.enable = True
    randomness = cfg.get('randomness') or ConfigDict(seed=None)
    if args.seed is not None:
        randomness.seed = args.seed
    if args.diff_rank_seed:
        randomness.diff_rank_seed = True
    if args.deterministic:
        randomness.deterministic = True
    cfg.randomness = randomness


def set_start(cfg: Config, resume: str | None) -> None:
    """Say where training starts: afresh, or from a checkpoint.

    ``auto`` without a checkpoint starts afresh, with the config's ``load_from``.
    """
    if resume == 'auto':
        resume = compat.find_latest_checkpoint(cfg.work_dir)
    elif resume is not None and not Path(resume).is_file():
        raise ConfigError(f'checkpoint {resume} to resume from does not exist')
    if resume is not None:
        cfg.resume = True
        cfg.load_from = resume


def how_to_go_on(work_dir: str) -> str:
    """What an interrupted training leaves."""
    last = compat.find_latest_checkpoint(work_dir)
    if last is None:
        return f'no checkpoint is in {work_dir} yet'
    return f'go on from the last checkpoint, {last}, with --resume'


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    cfg = load_config(args.config)
    prepare(cfg, args)
    check_work_dir(cfg)
    merge_args(cfg, args)
    _, processes = compat.launched(cfg.launcher)
    spread_batch(cfg, processes)
    check_data_roots(cfg, ('train_dataloader', 'val_dataloader'))
    check_development(cfg)
    with locked_work_dir(cfg, 'train'):
        set_start(cfg, args.resume)
        resolve_vocabulary(cfg)
        with interruptible(lambda: how_to_go_on(cfg.work_dir)):
            runner = build_runner(cfg)
            say_what_is_tested(cfg, runner)
            runner.train()
        leave_process_group()


if __name__ == '__main__':
    with reported_errors():
        main()
    end_process()
