"""Activation checkpointing that keeps some results: a choice of torch from 2.4 on.

A compiled network takes other arguments for it than one that is not, and until torch
2.3 none that are of use here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
import torch.utils.checkpoint
from torch import Tensor

KEEPS_PRODUCTS = hasattr(torch.utils.checkpoint, 'create_selective_checkpoint_contexts')
# Convolutions, and the matrix products that some are computed as.
_PRODUCTS = {
    getattr(torch.ops.aten, name).default
    for name in ('convolution', 'mm', 'addmm', 'bmm')
}
_is_compiling = getattr(torch.compiler, 'is_compiling', lambda: False)


def recompute_all_but_products(
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    recomputing: Callable[[], AbstractContextManager],
) -> Tensor:
    """``function(x)``; in backward it runs again, less its convolutions and products.

    Args:
        function: Tensor → Tensor.
        x: Its argument.
        recomputing: Makes the context in which ``function`` runs again. Compiled code
            does not enter it, as the compiler repeats no change of a buffer.

    Returns:
        Of ``function``. Before torch 2.4 (``KEEPS_PRODUCTS``) all of it runs again.
    """
    if _is_compiling():
        options = {'context_fn': _contexts} if KEEPS_PRODUCTS else {}
    else:

        def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
            first, again = _contexts()
            return first, _both(recomputing(), again)

        options = {'context_fn': contexts}
    return torch.utils.checkpoint.checkpoint(
        function, x, use_reentrant=False, **options
    )


@contextmanager
def _both(
    outer: AbstractContextManager, inner: AbstractContextManager
) -> Iterator[None]:
    with outer, inner:
        yield


def _contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
    if not KEEPS_PRODUCTS:
        return nullcontext(), nullcontext()
    return torch.utils.checkpoint.create_selective_checkpoint_contexts(_policy)


def _policy(context, operator, *args, **kwargs):
    policies = torch.utils.checkpoint.CheckpointPolicy
    if operator in _PRODUCTS:
        return policies.MUST_SAVE
    return policies.PREFER_RECOMPUTE
