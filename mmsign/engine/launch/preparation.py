"""From a config file and arguments to a config that a runner can be built from."""

import argparse
import math
import os
from contextlib import suppress
from pathlib import Path

import torch
import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmsign import compat
from mmsign.compat.checkpoints import TRUST_VARIABLE
from mmsign.config import entries
from mmsign.engine.launch.overrides import OverrideAction, apply_overrides
from mmsign.engine.launch.threads import settle_threads
from mmsign.engine.launch.work_dir import set_work_dir
from mmsign.errors import ConfigError, DataError
from mmsign.registry import DATASETS


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of both tools, named as in MMAction2."""
    parser.add_argument(
        '--work-dir',
        help='folder for logs, results and checkpoints '
        '(default: work_dirs/NAME_OF_THE_CONFIG)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OverrideAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_dataloader.batch_size=2; '
        'lists as KEY="[a,b]" or KEY=a,b, dicts as KEY="dict(a=1)". A variable such '
        'as data_root is followed to every place that uses it; an option that reaches '
        'nothing is refused',
    )
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='allow the given checkpoint to run code while it is loaded, as other '
        f"people's checkpoints may need (also: {TRUST_VARIABLE}=1)",
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how several processes were started; see tools/dist_train.sh',
    )
    # What starts the processes may pass the rank as an argument.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def prepare(cfg: Config, args: argparse.Namespace) -> None:
    """Apply the common arguments and adapt ``cfg`` to this machine, in place.

    Starts the process group where MMEngine cannot: several processes on a CPU.
    """
    if 'LOCAL_RANK' not in os.environ:
        os.environ['LOCAL_RANK'] = str(args.local_rank)
    if args.trust_checkpoint:
        os.environ[TRUST_VARIABLE] = '1'
    # oneDNN builds a kernel for each shape and keeps 1024 of them; clips of many
    # lengths need more, or every step builds its kernels anew.
    os.environ.setdefault('ONEDNN_PRIMITIVE_CACHE_CAPACITY', '16384')
    cfg.launcher = args.launcher
    apply_overrides(cfg, args.cfg_options)
    set_work_dir(cfg, args.work_dir, args.config)
    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('type') == 'AmpOptimWrapper' and get_device() == 'cpu':
        compat.use_mixed_precision(cfg.optim_wrapper)
    if torch.cuda.is_available():
        # Copies to a GPU then go on beside its work.
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            if cfg.get(name):
                cfg[name].setdefault('pin_memory', True)
    compat.prepare_distributed(cfg)


def spread_batch(cfg: Config, processes: int) -> None:
    """Share the config's ``total_batch_size`` among processes, in place.

    A process takes ``train_dataloader.batch_size`` clips at once, at most; where that
    is less than its share, gradients are accumulated over several steps, and over
    ``optim_wrapper.accumulative_counts`` at least. A share that is not whole is
    rounded up, which is logged. ``--auto-scale-lr`` goes by the clips of an update. A
    config without the setting stays as it is.

    Args:
        cfg: ``train_dataloader``, ``optim_wrapper.accumulative_counts`` and
            ``auto_scale_lr.base_batch_size`` may change.
        processes: That train together.

    Raises:
        ConfigError: ``total_batch_size`` or ``train_dataloader.batch_size`` is not
            positive.
    """
    total = cfg.get('total_batch_size')
    loader = cfg.get('train_dataloader')
    if total is None or loader is None:
        return
    if min(total, loader.batch_size) < 1:
        raise ConfigError(
            f'total_batch_size={total} and train_dataloader.batch_size='
            f'{loader.batch_size} must be 1 or more'
        )
    share = math.ceil(total / processes)
    named = cfg.optim_wrapper.get('accumulative_counts', 1)
    steps = max(named, math.ceil(share / loader.batch_size))
    loader.batch_size = math.ceil(share / steps)
    if 'batch_size' in loader.sampler:
        loader.sampler.batch_size = loader.batch_size
    if steps > 1:
        cfg.optim_wrapper.accumulative_counts = steps
    if (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
        # MMEngine counts the clips of a step.
        cfg.auto_scale_lr.base_batch_size /= steps
    found = loader.batch_size * steps * processes
    how = f'{processes} process(es) x {loader.batch_size} clips x {steps} step(s)'
    text = f'an update from {found} clips: {how}'
    if found != total:
        text += f', as {total} (total_batch_size) cannot be shared so'
    print_log(text, logger='current')


def build_runner(cfg: Config) -> Runner:
    """The runner of a config, of whatever class it names; see ``settle_threads``."""
    own = 'runner_type' in cfg
    runner = RUNNERS.build(cfg) if own else Runner.from_cfg(cfg)
    settle_threads(runner)
    return runner


def leave_out_validation(cfg: Config) -> None:
    """Train without a development split, in place."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def check_development(cfg: Config) -> None:
    """Leave validation out, in place, where there is nothing to validate on.

    That is where one of ``val_cfg``, ``val_dataloader`` and ``val_evaluator`` is None,
    or the corpus' annotations have no clip of that split.
    """
    keys = 'val_cfg', 'val_dataloader', 'val_evaluator'
    there = all(cfg.get(key) is not None for key in keys)
    if not there or not has_clips(cfg.val_dataloader.get('dataset') or {}):
        leave_out_validation(cfg)


def has_clips(dataset: dict) -> bool:
    """Whether the annotations of a dataset's config have a clip of its split.

    True where that cannot be told: building the dataset then says why.
    """
    kind = DATASETS.get(dataset['type']) if 'type' in dataset else None
    if not hasattr(kind, 'load_annotations'):
        return True
    with suppress(FileNotFoundError, DataError):
        names = 'data_root', 'split', 'ann_file', 'signers'
        given = {name: dataset[name] for name in names if dataset.get(name)}
        return bool(kind.load_annotations(**given, notify=lambda text: None))
    return True


def say_what_is_tested(cfg: Config, runner: Runner) -> None:
    """Log what a training without a development split ends with."""
    if cfg.val_cfg is None:
        runner.logger.warning(
            'no development split: nothing tells which checkpoint is best, so the last '
            f'one ({runner.work_dir}/last_checkpoint names it) is the one to test. '
            'Choose the number of epochs and all else before you test; whoever chooses '
            'by the test split reports too good a number'
        )


def leave_process_group() -> None:
    """Wait for the other processes of a run, which may still talk to this one."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def named_files(cfg: Config) -> list[str]:
    """The files that a config names, as they are or below a data_root."""
    found = [(key, x) for _, _, key, x in entries(cfg._cfg_dict) if isinstance(x, str)]
    roots = ['', *(text for key, text in found if key == 'data_root')]
    names = dict.fromkeys(text for _, text in found)
    paths = (os.path.join(root, name) for root in roots for name in names)
    return [path for path in paths if os.path.isfile(path)]


def check_data_roots(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Raise ConfigError if a ``data_root`` under one of ``loaders`` is no folder."""
    for loader in loaders:
        for _, _, key, value in entries(cfg.get(loader)):
            is_root = key == 'data_root' and isinstance(value, str)
            if is_root and '://' not in value and not Path(value).is_dir():
                raise ConfigError(
                    f'data_root {value!r} of {loader} is not a folder: pass '
                    '--cfg-options data_root=FOLDER'
                )
