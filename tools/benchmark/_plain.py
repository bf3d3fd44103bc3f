"""PyTorch's own convolutions in place of ours, for baselines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch.nn as nn

from mmsign.models.layers.thin_conv import ThinConv3d


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Within it ``ThinConv3d`` computes as ``nn.Conv3d`` does."""
    ours = ThinConv3d.forward
    ThinConv3d.forward = nn.Conv3d.forward
    try:
        yield
    finally:
        ThinConv3d.forward = ours
