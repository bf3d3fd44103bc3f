"""Run a network for the shapes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn as nn


@contextmanager
def shapes_only(module: nn.Module) -> Iterator[None]:
    """Within, ``module`` is in evaluation mode and its tensors have no values.

    Everything it computes from a tensor on the device ``meta`` then has a shape
    and costs neither time nor memory. Afterwards it is as it was.
    """
    modes = {child: child.training for child in module.modules()}
    kept = []
    for child in modes:
        for tensors in (child._parameters, child._buffers):
            kept.append((tensors, dict(tensors)))
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = torch.empty_like(tensor, device='meta')
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for tensors, values in kept:
            tensors.update(values)
        for child, training in modes.items():
            child.training = training


def without_values(build: Callable[[], nn.Module]) -> nn.Module:
    """A network to look at: without values where it can be built so.

    Networks that compute numbers while they are built (a rate of stochastic depth
    per layer, say) are built as usual.
    """
    try:
        with torch.device('meta'):
            return build()
    except (RuntimeError, NotImplementedError):
        return build()
