"""Divergences of one prediction from another, or from a smoothed target.

Symbols: B clips, T steps, V classes with the blank; U tokens of a sentence.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn as nn
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from ..layers.sequence import length_mask


@MODELS.register_module()
class SelfDistillationLoss(nn.Module):
    """KL divergence of each head from the heads' average, on valid steps.

    The teacher p_a is the mean of the heads' probabilities and is not
    back-propagated through. For each head h the term is
    Σ_{b, t < length_b} KL(p_a ‖ p_h) / B.

    Args:
        loss_weight: Factor of every term.
        count_padding: Whether the sum is over padded steps too, as in MSKA's published
            code.

    Examples:
        >>> sure, unsure = torch.tensor([[[9.0, 0.0]]]), torch.zeros(1, 1, 2)
        >>> heads = dict(video=sure, keypoint=unsure)
        >>> found = SelfDistillationLoss()(heads, lengths=torch.tensor([1]))
        >>> {name: round(term.item(), 2) for name, term in found.items()}
        {'video': 1.69, 'keypoint': 0.13}
    """

    def __init__(self, loss_weight: float = 1.0, count_padding: bool = False) -> None:
        super().__init__()
        self.loss_weight, self.count_padding = loss_weight, count_padding

    def forward(self, logits: Mapping[str, Tensor], lengths: Tensor) -> dict:
        """Compute.

        Args:
            logits: Name → (B, T, V) of each head.
            lengths: (B,) valid steps.

        Returns:
            Name → scalar.
        """
        heads = torch.stack([x.float() for x in logits.values()]).log_softmax(-1)
        teacher = heads.detach().exp().mean(0)
        if not self.count_padding:
            teacher = teacher * length_mask(lengths, heads.shape[2])[..., None]
        divergence = torch.xlogy(teacher, teacher) - teacher * heads
        terms = divergence.sum((1, 2, 3)) * (self.loss_weight / len(teacher))
        return dict(zip(logits, terms.unbind()))


@MODELS.register_module()
class TemperatureDistillationLoss(nn.Module):
    """KL divergence of one output from another at a temperature, over the glosses.

    With logits z without the blank's, p = softmax(z/τ) of the teacher, which is not
    back-propagated through, and q of the student, it is the mean of τ²·KL(p ‖ q) over
    the valid steps of all clips.

    Args:
        temperature: τ.
        loss_weight: Factor of the result.

    Examples:
        >>> student, teacher = torch.zeros(1, 1, 3), torch.tensor([[[9.0, 0.0, 1.0]]])
        >>> loss = TemperatureDistillationLoss(temperature=1.0)
        >>> round(loss(student, teacher).item(), 3)  # KL of (.27, .73) from (.5, .5)
        0.111
    """

    def __init__(self, temperature: float = 8.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ConfigError(f'temperature must be positive, not {temperature}')
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(
        self,
        student: Tensor,
        teacher: Tensor,
        lengths: Tensor | None = None,
        blank: int = 0,
    ) -> Tensor:
        """Compute.

        Args:
            student, teacher: (B, T, V) logits.
            lengths: (B,) valid steps; None counts all.
            blank: Index of the blank.

        Returns:
            Scalar.
        """
        both = torch.stack([student, teacher.detach()]).float() / self.temperature
        both = torch.cat([both[..., :blank], both[..., blank + 1 :]], dim=-1)
        student, teacher = both.log_softmax(-1).unbind()
        divergence = (teacher.exp() * (teacher - student)).sum(-1)
        if lengths is None:
            mean = divergence.mean()
        else:
            valid = length_mask(lengths, divergence.shape[1])
            mean = (divergence * valid).sum() / valid.sum().clamp(min=1)
        return mean * (self.temperature**2 * self.loss_weight)


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
