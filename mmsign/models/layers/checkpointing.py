"""Activation checkpointing that leaves batch statistics alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch.nn as nn
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


@contextmanager
def _running_statistics_kept(module: nn.Module) -> Iterator[None]:
    norms = [
        m
        for m in module.modules()
        if isinstance(m, _BatchNorm) and m.track_running_stats
    ]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


def checkpointed(module: nn.Module, function: Callable[[Tensor], Tensor]):
    """Wrap ``function`` so that its activations are recomputed in backward.

    The recomputation normalises with the same batch statistics but does not
    update the running averages of ``module`` a second time, so training with
    and without checkpointing gives the same weights and the same buffers.

    Args:
        module: Owner of the batch norms that ``function`` runs through.
        function: Tensor → Tensor.

    Returns:
        A callable with the signature of ``function``.
    """

    def run(x: Tensor) -> Tensor:
        return checkpoint(
            function,
            x,
            use_reentrant=False,
            context_fn=lambda: (nullcontext(), _running_statistics_kept(module)),
        )

    return run
