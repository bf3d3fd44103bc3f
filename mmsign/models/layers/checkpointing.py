"""Activation checkpointing that computes the cheap again, and leaves statistics alone.

What a batch norm, an activation or a pool puts out follows at little cost from the
output of the convolution before them. So the outputs of convolutions are kept and the
rest is recomputed, as in selective recomputation (Korthikanti et al. 2022, "Reducing
Activation Recomputation in Large Transformer Models"). Before torch 2.4, which cannot
keep some results, convolutions are recomputed too.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
import torch.nn as nn
import torch.utils.checkpoint
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from .volume import BatchNorm3d

KEEPS_PRODUCTS = hasattr(torch.utils.checkpoint, 'create_selective_checkpoint_contexts')
# Convolutions, and the matrix products that some are computed as.
_PRODUCTS = {
    getattr(torch.ops.aten, name).default
    for name in ('convolution', 'mm', 'addmm', 'bmm')
}
_is_compiling = getattr(torch.compiler, 'is_compiling', lambda: False)


def checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """``module(x)``, of which most activations are recomputed in backward.

    The recomputation normalises with the same batch statistics but does not
    update the running averages of ``module`` a second time, so training with
    and without checkpointing gives the same weights and the same buffers.
    """
    options = {'context_fn': partial(_first_and_again, module)}
    if _is_compiling():
        # The compiler repeats no change of a buffer. Until torch 2.3 it takes no
        # contexts.
        options = {'context_fn': _keeping_products} if KEEPS_PRODUCTS else {}
    return torch.utils.checkpoint.checkpoint(module, x, use_reentrant=False, **options)


def _first_and_again(
    module: nn.Module,
) -> tuple[AbstractContextManager, AbstractContextManager]:
    first, again = _keeping_products()
    return first, _running_statistics_kept(module, again)


def _keeping_products() -> tuple[AbstractContextManager, AbstractContextManager]:
    if not KEEPS_PRODUCTS:
        return nullcontext(), nullcontext()
    return torch.utils.checkpoint.create_selective_checkpoint_contexts(_policy)


def _policy(context, operator, *args, **kwargs):
    policies = torch.utils.checkpoint.CheckpointPolicy
    if operator in _PRODUCTS:
        return policies.MUST_SAVE
    return policies.PREFER_RECOMPUTE


@contextmanager
def _running_statistics_kept(
    module: nn.Module, again: AbstractContextManager
) -> Iterator[None]:
    """A context in which ``module`` runs again, within another one."""
    # Momentum 0 leaves the averages as they are. (Not track_running_stats=False:
    # the recomputation must save the same tensors as the first pass.)
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        with again:
            yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            # mmsign's own do not count in their forward pass.
            if not isinstance(norm, BatchNorm3d):
                norm.num_batches_tracked.sub_(1)
