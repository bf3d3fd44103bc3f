"""Frame-level self-distillation (paper, eq. 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn as nn
from torch import Tensor

from mmsign.registry import MODELS

from ..layers.lengths import length_mask


@MODELS.register_module()
class SelfDistillationLoss(nn.Module):
    """KL divergence of each head from the heads' average, on valid steps.

    The teacher p_a is the mean of the heads' probabilities and is not
    back-propagated through. For each head h the term is
    Σ_{b, t < length_b} KL(p_a ‖ p_h) / B.

    Args:
        loss_weight: Factor of every term.

    Examples:
        >>> import torch
        >>> sure, unsure = torch.tensor([[[9.0, 0.0]]]), torch.zeros(1, 1, 2)
        >>> heads = dict(video=sure, keypoint=unsure)
        >>> found = SelfDistillationLoss()(heads, lengths=torch.tensor([1]))
        >>> {name: round(term.item(), 2) for name, term in found.items()}
        {'video': 1.69, 'keypoint': 0.13}
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, logits: Mapping[str, Tensor], lengths: Tensor) -> dict:
        """Compute.

        Args:
            logits: Name → (B, T, V) of each head.
            lengths: (B,) valid steps.

        Returns:
            Name → scalar.
        """
        log_probs = {name: x.float().log_softmax(-1) for name, x in logits.items()}
        teacher = sum(x.detach().exp() for x in log_probs.values()) / len(log_probs)
        valid = length_mask(lengths, teacher.shape[1])[..., None]
        # Σ p_a·log p_a is the same for every head.
        entropy = teacher * teacher.clamp(min=1e-30).log()
        return {
            name: self.loss_weight
            * ((entropy - teacher * x) * valid).sum()
            / teacher.shape[0]
            for name, x in log_probs.items()
        }
