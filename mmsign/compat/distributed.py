"""Several processes on a machine without a GPU.

Answered faults of MMEngine 0.10: ``init_dist`` calls ``torch.cuda.set_device``
whatever the backend is; ``Runner.wrap_model`` hands DistributedDataParallel a
device id, which it refuses for modules on the CPU; ``sync_bn`` converts to
``nn.SyncBatchNorm``, which refuses CPU tensors. Each can go when MMEngine asks
whether there is a GPU before it does so. On a GPU nothing here changes anything.
"""

import os

import torch.distributed as dist
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log

from mmsign.errors import ConfigError

# Where each launcher leaves rank, world size and local rank.
_LAUNCHER_VARIABLES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
    'mpi': (
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
}


def launched(launcher: str) -> tuple[int, int]:
    """Rank of this process, and how many a launcher started; 0 and 1 without one."""
    if launcher == 'none':
        return 0, 1
    rank, processes, _ = _LAUNCHER_VARIABLES[launcher]
    return int(os.environ.get(rank, '0')), int(os.environ.get(processes, '1'))


def prepare_distributed(cfg: Config) -> None:
    """Start the process group and adapt ``cfg`` if training runs on the CPU.

    Does nothing without a launcher, or where there is an accelerator: the runner
    then does it all. Call it before the runner is built.

    Args:
        cfg: The runner's config; ``model_wrapper_cfg`` and ``sync_bn`` may change.

    Raises:
        ConfigError: the launcher's environment variables are missing.
    """
    launcher = cfg.get('launcher', 'none')
    if launcher == 'none' or get_device() != 'cpu':
        return
    init_gloo(launcher)
    wrapper = cfg.get('model_wrapper_cfg') or ConfigDict(
        find_unused_parameters=cfg.get('find_unused_parameters', False)
    )
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper
    if cfg.get('sync_bn'):
        print_log(
            "sync_bn is ignored: torch's SyncBatchNorm does not work on the CPU",
            logger='current',
        )
        cfg.sync_bn = None


def init_gloo(launcher: str) -> None:
    """Start the default process group with gloo, unless there is one.

    Raises:
        ConfigError: the launcher's environment variables are missing.
    """
    if dist.is_initialized():
        return
    names = _LAUNCHER_VARIABLES[launcher]
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise ConfigError(
            f'launcher {launcher!r} needs the environment variables '
            f'{", ".join(names)}, but {", ".join(missing)} are not set: start with '
            'tools/dist_train.sh, tools/dist_test.sh or the slurm scripts'
        )
    for target, name in zip(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), names):
        os.environ[target] = os.environ[name]
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', '29500')
    dist.init_process_group('gloo')
