"""Layers as kernels for GPUs, written in Triton, which PyTorch brings along.

Only imported where Triton is, by ``shifts.kernels_for``, which asks ``are_usable``.
"""

import functools
import logging

import torch
from mmengine.logging import print_log

from .norm import batch_norm
from .pool import max_pool
from .shift import place_shifts, sum_shifts

__all__ = ['are_usable', 'batch_norm', 'max_pool', 'place_shifts', 'sum_shifts']

_DTYPES = torch.float32, torch.bfloat16, torch.float16


@functools.cache
def are_usable(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernels work on a GPU; tried once, with a notice if they do not.

    Triton needs compute capability 7.0 and a C compiler on the machine.
    """
    if dtype not in _DTYPES:
        return False
    x = torch.zeros(2, 8, dtype=dtype, device=device, requires_grad=True)
    vectors = torch.zeros(4, 8, device=device)
    sizes = (1, 1, 2), (1, 1, 1), (0, 0, 0)
    try:
        y = batch_norm(x, *vectors, 0.1, 1e-5, relu=True)
        max_pool(y.view(1, 1, 1, 2, 8), *sizes).sum().backward()
        torch.cuda.synchronize(device)
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
