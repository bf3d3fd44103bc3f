"""Devices: what MMEngine chooses, or what is asked for if torch can use it here."""

import functools
import os

import torch
from mmengine.device import get_device
from torch.utils import _foreach_utils

from mmsign.errors import ConfigError


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """The device that is asked for, or the best there is.

    Args:
        name: Such as ``'cpu'`` or ``'cuda:1'``.

    Raises:
        ConfigError: There is no such device, or torch cannot use it.

    Examples:
        >>> choose_device('cpu')
        device(type='cpu')
    """
    if name is None:
        return torch.device(get_device())
    try:
        device = torch.device(name)
        if device.type == 'meta':
            raise RuntimeError('it holds no values')
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        # The first of torch's sentences, which can go on for pages.
        reason = (str(error).strip() or type(error).__name__).partition('. ')[0]
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        there = ', '.join(['cpu', *(f'cuda:{index}' for index in range(count))])
        raise ConfigError(
            f'device {str(name)!r} cannot be used ({reason}); there is: {there}'
        ) from error
    return device


def can_fuse(device: torch.device) -> bool:
    """Whether optimizers have a fused step there: on a CPU from torch 2.4 on."""
    known = getattr(_foreach_utils, '_get_fused_kernels_supported_devices', None)
    return device.type in (('cuda',) if known is None else known())


@functools.cache
def has_triton() -> bool:
    """Whether Triton is there and ``MMSIGN_TRITON=0`` does not say to do without it.

    PyTorch brings it along for GPUs.
    """
    if os.environ.get('MMSIGN_TRITON') == '0':
        return False
    try:
        import triton
    except ImportError:
        return False
    # A folder of that name is a package without a file.
    return triton.__file__ is not None
