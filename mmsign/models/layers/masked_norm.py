"""Batch norm over the valid time steps of padded sequences.

Symbols: B clips, T time steps, C channels.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Boolean (B, size) mask, true where a step index is below its length."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def _sum_over_processes(x: Tensor) -> Tensor:
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        # The functional collective is differentiable: statistics of all
        # processes take part in each process's gradient, as in SyncBatchNorm,
        # but on CPU tensors too.
        from torch.distributed.nn.functional import all_reduce

        return all_reduce(x)
    return x


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm whose statistics come from valid steps only (SPEC section 3).

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
        # Sums are taken around the running mean: E[x²] − E[x]² loses digits
        # where the mean is much larger than the spread.
        shift = self.running_mean.detach().clone()
        weight = mask[..., None].to(x.dtype)
        centred = (x - shift) * weight
        sums = torch.cat(
            [
                centred.sum((0, 1)),
                (centred * centred).sum((0, 1)),
                weight.sum().reshape(1),
            ]
        )
        first, second, count = _sum_over_processes(sums).split(
            [self.num_features, self.num_features, 1]
        )
        count = count.detach().clamp(min=1)
        mean = first / count
        var = (second / count - mean * mean).clamp(min=0)
        return mean + shift, var, count
