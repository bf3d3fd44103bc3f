"""Activation checkpointing that computes the cheap again, and leaves statistics alone.

What a batch norm, an activation or a pool puts out follows at little cost from the
output of the convolution before them. So the outputs of convolutions are kept and the
rest is recomputed, as in selective recomputation (Korthikanti et al. 2022, "Reducing
Activation Recomputation in Large Transformer Models"). Before torch 2.4 convolutions
are recomputed too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch.nn as nn
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmsign.compat import recompute_all_but_products

from .volume import BatchNorm3d


@contextmanager
def _running_statistics_kept(module: nn.Module) -> Iterator[None]:
    # Momentum 0 leaves the averages as they are. (Not track_running_stats=False:
    # the recomputation must save the same tensors as the first pass.)
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            # mmsign's own do not count in their forward pass.
            if not isinstance(norm, BatchNorm3d):
                norm.num_batches_tracked.sub_(1)


def checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """``module(x)``, of which most activations are recomputed in backward.

    The recomputation normalises with the same batch statistics but does not
    update the running averages of ``module`` a second time, so training with
    and without checkpointing gives the same weights and the same buffers.
    """
    again = partial(_running_statistics_kept, module)
    return recompute_all_but_products(module, x, again)
