"""Test a recognizer: ``python tools/test.py CONFIG CHECKPOINT [options]``.

The options are those of MMAction2's tool of the same name.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process

from mmsign import compat
from mmsign.engine.launch import (
    add_common_arguments,
    build_runner,
    check_data_roots,
    check_work_dir,
    end_process,
    keep_signers,
    leave_process_group,
    load_config,
    locked_work_dir,
    named_files,
    prepare,
    reported_errors,
    resolve_vocabulary,
)
from mmsign.errors import ConfigError
from mmsign.files import check_outputs, replacing_path, write_text
from mmsign.models.weights import best_checkpoint


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a sign language recognizer')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file, or the work folder of a training: its best, or where '
        'nothing was validated its last checkpoint; none for an ensemble, whose config '
        'names its members',
    )
    add_common_arguments(parser)
    parser.add_argument('--out', metavar='FILE', help='write the metrics as JSON')
    parser.add_argument(
        '--dump',
        metavar='FILE.pkl',
        help='write the predictions as a pickle, as MMAction2 does',
    )
    parser.add_argument(
        '--show-dir',
        metavar='FOLDER',
        help='write a picture of each clip there: frames, skeleton, heatmaps, and the '
        'probabilities of every output over time',
    )
    parser.add_argument(
        '--show', action='store_true', help='show these pictures in a window'
    )
    parser.add_argument(
        '--interval',
        type=int,
        default=1,
        metavar='N',
        help='draw every N-th clip (default: %(default)s)',
    )
    parser.add_argument(
        '--num-clips', type=int, metavar='N', help='draw N clips at most (default: all)'
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        metavar='SECONDS',
        help='how long a window stays open (default: %(default)s)',
    )
    return parser.parse_args(arguments)


def add_pictures(cfg: Config, args: argparse.Namespace) -> None:
    """Have clips drawn, whatever the config says about it.

    Raises:
        ConfigError: a number is out of range, or windows cannot be opened here.
    """
    if args.interval < 1 or (args.num_clips is not None and args.num_clips < 1):
        raise ConfigError('--interval and --num-clips must be at least 1')
    if args.show and not can_open_windows():
        raise ConfigError('--show needs a display; --show-dir FOLDER writes files')
    hooks = dict(cfg.get('default_hooks') or {})
    hooks['visualization'] = dict(
        dict(hooks.get('visualization') or {}),
        type='SignVisualizationHook',
        enable=True,
        interval=args.interval,
        num_clips=args.num_clips,
        out_dir=args.show_dir,
        show=args.show,
        wait_time=args.wait_time,
    )
    cfg.default_hooks = hooks
    if (cfg.get('visualizer') or {}).get('type') != 'SignVisualizer':
        backends = [dict(type='LocalVisBackend')]
        cfg.visualizer = dict(type='SignVisualizer', vis_backends=backends)


def can_open_windows() -> bool:
    """Whether matplotlib has a backend with windows on this machine."""
    import matplotlib.pyplot as plt

    return plt.get_backend().lower() not in ('agg', 'pdf', 'ps', 'svg', 'template')


@contextmanager
def dumping(cfg: Config, path: str | None) -> Iterator[None]:
    """Have the predictions written to ``path``, which appears when all are there."""
    if path is None:
        yield
        return
    evaluators = cfg.test_evaluator
    if not isinstance(evaluators, (list, tuple)):
        evaluators = [evaluators]
    rank, _ = compat.launched(cfg.launcher)
    with nullcontext(path) if rank else replacing_path(path, '.pkl') as target:
        dump = dict(type='DumpResults', out_file_path=str(target))
        cfg.test_evaluator = [*evaluators, dump]
        yield


def check_checkpoint(cfg: Config, checkpoint: str | None) -> None:
    """Raise ConfigError unless a checkpoint is given where one is needed."""
    names_its_own = 'checkpoints' in cfg.model
    if checkpoint is None and not names_its_own:
        raise ConfigError('name the checkpoint to test after the config')
    if checkpoint is not None and names_its_own:
        raise ConfigError(
            f'{cfg.model.type} loads the checkpoints of its members, which '
            'model.checkpoints names; leave the argument out'
        )
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise ConfigError(f'checkpoint {checkpoint} does not exist')


def write_metrics(metrics: dict[str, float], path: str) -> None:
    """Write ``metrics`` as a JSON object with sorted keys."""
    plain = {
        key: value if isinstance(value, (int, str)) else float(value)
        for key, value in metrics.items()
    }
    write_text(path, json.dumps(plain, indent=2, sort_keys=True) + '\n')


def main(arguments: list[str] | None = None) -> dict[str, float]:
    args = parse_args(arguments)
    cfg = load_config(args.config)
    prepare(cfg, args)
    check_work_dir(cfg)
    if args.checkpoint is not None:
        args.checkpoint = best_checkpoint(args.checkpoint)
    check_checkpoint(cfg, args.checkpoint)
    read = [args.config, args.checkpoint, *named_files(cfg)]
    check_outputs([args.out], read, ['.json'])
    check_outputs([args.dump], read, ['.pkl', '.pickle'])
    check_outputs([args.show_dir], read, folders=True)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.show_dir is not None or args.show:
        add_pictures(cfg, args)
    if args.checkpoint is not None:
        keep_signers(cfg, args.checkpoint)
    check_data_roots(cfg, ('test_dataloader',))
    resolve_vocabulary(cfg, args.checkpoint)
    with locked_work_dir(cfg, 'test'), dumping(cfg, args.dump):
        metrics = build_runner(cfg).test()
    if args.out is not None and is_main_process():
        write_metrics(metrics, args.out)
    leave_process_group()
    return metrics


if __name__ == '__main__':
    with reported_errors():
        main()
    end_process()
