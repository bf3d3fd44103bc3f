"""Batch norm over the valid time steps of padded sequences.

Symbols: B clips, T time steps, C channels.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class _SumOverProcesses(torch.autograd.Function):
    """All-reduce whose gradient is the sum of the processes' gradients."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


def _gather_rows(row: Tensor) -> Tensor:
    """(N,) of this process → (processes, N); differentiable, on any device."""
    if not (dist.is_available() and dist.is_initialized()):
        return row[None]
    rows = torch.zeros(dist.get_world_size(), *row.shape, device=row.device)
    rows = rows.index_put((torch.tensor(dist.get_rank(), device=row.device),), row)
    return _SumOverProcesses.apply(rows)


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm with statistics of valid steps only: docs/method.md#gloss-heads.

    In training the sums run over the valid steps of all processes, so padding
    and the way clips are spread over devices change nothing. In evaluation it
    is plain batch norm with the running averages.
    """

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise.

        Args:
            x: (B, T, C) features.
            mask: (B, T) bool, true on valid steps.

        Returns:
            (B, T, C); values on padded steps are finite but meaningless.
        """
        if not self.training:
            out = F.batch_norm(
                x.flatten(0, 1),
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                eps=self.eps,
            )
            return out.view_as(x)
        dtype = x.dtype
        x = x.float()
        mean, var, count = self._statistics(x, mask)
        if self.track_running_stats:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                unbiased = var * (count / (count - 1).clamp(min=1))
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
        scale = self.weight * torch.rsqrt(var + self.eps)
        return ((x - mean) * scale + self.bias).to(dtype)

    def _statistics(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Each process contributes count, mean and centred sum of squares, which
        # are combined as in Chan et al. (1979): E[x²] − E[x]² would lose digits
        # where the mean is much larger than the spread.
        weight = mask[..., None].to(x.dtype)
        count = weight.sum()
        mean = (x * weight).sum((0, 1)) / count.clamp(min=1)
        squares = ((x - mean) * weight).square().sum((0, 1))
        rows = _gather_rows(torch.cat([count[None], mean, squares]))
        counts, means, squares = rows.split([1, *[self.num_features] * 2], dim=1)
        total = counts.sum().clamp(min=1)
        mean = (counts * means).sum(0) / total
        squares = squares.sum(0) + (counts * (means - mean).square()).sum(0)
        return mean, squares / total, total
