"""Terms of the training loss.

Symbols: B clips, T steps, V classes with the blank; U tokens of a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from .layers.ctc import ctc_losses
from .layers.sequence import length_mask


@MODELS.register_module()
class CTCLoss(nn.Module):
    """CTC summed over the batch, divided by B.

    A target longer than CTC can align with its output has an infinite loss; it is
    zeroed here, and ``infeasible`` of the recognizer tells beforehand, without looking
    at the device, which clips this concerns.

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
        logits: Tensor | Sequence[Tensor],
        lengths: Sequence[int] | Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        blank: int = 0,
    ) -> Tensor | tuple[Tensor, ...]:
        """Compute, for one output or for all of a network at once.

        Args:
            logits: (B, T, V); or one such tensor per output, of any T each.
            lengths: Valid steps of each clip; or these of each output.
            targets: Class indices of each clip, without blanks.
            blank: Index of the blank.

        Returns:
            Scalar; or one per output.
        """
        if isinstance(logits, Tensor):
            return self([logits], [lengths], targets, blank)[0]
        factor = self.loss_weight / len(targets)
        return ctc_losses(logits, lengths, targets, blank, factor).unbind()


@MODELS.register_module()
class SelfDistillationLoss(nn.Module):
    """KL divergence of each head from the heads' average, on valid steps.

    The teacher p_a is the mean of the heads' probabilities and is not
    back-propagated through. For each head h the term is
    Σ_{b, t < length_b} KL(p_a ‖ p_h) / B.

    Args:
        loss_weight: Factor of every term.

    Examples:
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
        heads = torch.stack([x.float() for x in logits.values()]).log_softmax(-1)
        valid = length_mask(lengths, heads.shape[2])[..., None]
        teacher = heads.detach().exp().mean(0) * valid
        divergence = torch.xlogy(teacher, teacher) - teacher * heads
        terms = divergence.sum((1, 2, 3)) * (self.loss_weight / len(teacher))
        return dict(zip(logits, terms.unbind()))


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
