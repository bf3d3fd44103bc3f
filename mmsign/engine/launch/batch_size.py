"""One update from the same number of clips on any number of processes."""

import math

from mmengine.config import Config
from mmengine.logging import print_log

from mmsign.errors import ConfigError


def spread_batch(cfg: Config, processes: int) -> None:
    """Share the config's ``total_batch_size`` among processes, in place.

    A process takes ``train_dataloader.batch_size`` clips at once, at most; where that
    is less than its share, gradients are accumulated over several steps, or over as
    many as ``optim_wrapper.accumulative_counts`` says. A share that is not whole is
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
    steps = cfg.optim_wrapper.get('accumulative_counts', 1)
    if steps == 1:
        steps = math.ceil(share / loader.batch_size)
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
