"""Connectionist temporal classification loss (Graves et al. 2006)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.registry import MODELS


@MODELS.register_module()
class CTCLoss(nn.Module):
    """CTC summed over the batch, divided by B.

    A target longer than CTC can align with its output has an infinite loss; it is
    zeroed here, and ``is_feasible`` tells beforehand, without looking at the
    device, which clips this concerns.

    Args:
        loss_weight: Factor of the result.

    Examples:
        Of 4 alignments, 3 give the target:

        >>> loss = CTCLoss()(torch.zeros(1, 2, 2), lengths=[2], targets=[[1]])
        >>> round(loss.exp().item(), 3)  # 4 / 3
        1.333
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self,
        logits: Tensor,
        lengths: Sequence[int],
        targets: Sequence[Sequence[int]],
        blank: int = 0,
    ) -> Tensor:
        """Compute.

        Args:
            logits: (B, T, V).
            lengths: Valid steps of each clip.
            targets: Class indices of each clip, without blanks.
            blank: Index of the blank.

        Returns:
            Scalar.
        """
        log_probs = logits.float().log_softmax(-1).transpose(0, 1)
        flat = torch.tensor(
            [index for target in targets for index in target],
            dtype=torch.long,
            device=logits.device,
        )
        total = F.ctc_loss(
            log_probs,
            flat,
            tuple(lengths),
            tuple(len(target) for target in targets),
            blank=blank,
            reduction='sum',
            zero_infinity=True,
        )
        return self.loss_weight * total / logits.shape[0]
