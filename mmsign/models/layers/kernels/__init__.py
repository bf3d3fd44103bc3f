"""Layers as kernels for GPUs, written in Triton, which PyTorch brings along.

Only imported where Triton is; ``volume`` asks ``are_usable`` first.
"""

import functools
import logging

import torch
from mmengine.logging import print_log

from .norm import batch_norm
from .pool import max_pool

__all__ = ['are_usable', 'batch_norm', 'max_pool']

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
            f'batch norms and max pools are computed by PyTorch, slower: Triton cannot '
            f'be used on {device} ({type(error).__name__}: {reason})',
            logger='current',
            level=logging.WARNING,
        )
        return False
    return True
