"""Layers as kernels for GPUs, written in Triton, which PyTorch brings along.

Only imported where Triton is, by ``shifts.kernels_for``, which asks ``are_usable``.
"""

import functools
import logging

import torch
from mmengine.logging import print_log

from .norm import batch_norm, fixed_norm, gradients, normalised
from .pool import max_pool
from .shift import place_shifts, sum_shifts

__all__ = [
    'are_usable',
    'batch_norm',
    'fixed_norm',
    'max_pool',
    'place_shifts',
    'sum_shifts',
]

_DTYPES = torch.float32, torch.bfloat16, torch.float16


@functools.cache
def are_usable(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernels work on a GPU; tried once, with a notice if they do not.

    Triton needs compute capability 7.0 and a C compiler on the machine.
    """
    if dtype not in _DTYPES:
        return False
    x = torch.zeros(2, 8, dtype=dtype, device=device)
    weight, bias, *averages = torch.zeros(4, 8, device=device)
    try:
        # Without autograd, as this may be within a layer that is checkpointed.
        with torch.cuda.device_of(x):
            y, found = normalised(x, weight, bias, *averages, 0.1, 1e-5, relu=True)
            gradients(y, x, weight, bias, found, relu=True)
    except Exception as error:  # Triton's own are of many kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        print_log(
            f'Triton cannot be used on {device} ({type(error).__name__}: {reason}), so '
            "norms and pools are PyTorch's, which are slower",
            logger='current',
            level=logging.WARNING,
        )
        return False
    return True
