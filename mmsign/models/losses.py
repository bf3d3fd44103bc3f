"""Terms of the training loss.

Symbols: B clips, T steps, V classes with the blank; U tokens of a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from .layers.sequence import length_mask


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
