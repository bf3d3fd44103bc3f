"""Label-smoothed cross-entropy of translation."""

from __future__ import annotations

import math

import torch.nn as nn
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS


@MODELS.register_module()
class LabelSmoothingLoss(nn.Module):
    """Divergence of the prediction from the smoothed target.

    The target gives 1 − s to the true token, s/(V − 2) to every other token
    except the padding, and nothing to that. The loss is Σ KL(target ‖ prediction)
    over the tokens, divided by B: the smoothed cross-entropy less its smallest
    possible value, as the authors of the paper compute it.

    Args:
        smoothing: s; 0 gives the plain cross-entropy.
        loss_weight: Factor of the result.

    Examples:
        >>> import torch
        >>> target = torch.tensor([[2]])
        >>> like_target = torch.tensor([[[1e-9, .1, .8, .1]]]).log()  # 0 is padding
        >>> loss = LabelSmoothingLoss(smoothing=0.2)
        >>> abs(loss(like_target, target, pad_id=0).item()) < 1e-5
        True
    """

    def __init__(self, smoothing: float = 0.2, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 <= smoothing < 1:
            raise ConfigError(f'smoothing must lie in [0, 1), not {smoothing}')
        self.smoothing = smoothing
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, pad_id: int) -> Tensor:
        """Compute.

        Args:
            logits: (B, U, V).
            targets: (B, U) ids, ``pad_id`` where there is no token.
            pad_id: Id of the padding.

        Returns:
            Scalar.
        """
        log_probs = logits.float().log_softmax(-1)
        true, other = 1 - self.smoothing, self.smoothing / (logits.shape[-1] - 2)
        of_true = log_probs.gather(-1, targets[..., None])[..., 0]
        of_others = log_probs.sum(-1) - of_true - log_probs[..., pad_id]
        entropy = true * math.log(true)
        if self.smoothing:
            entropy += self.smoothing * math.log(other)
        divergence = entropy - true * of_true - other * of_others
        valid = targets != pad_id
        return self.loss_weight * divergence.masked_fill(~valid, 0).sum() / len(targets)
