"""Last layers: features → logits of gloss classes, the blank being the first.

Symbols: C channels, V gloss classes with the blank.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from mmsign.errors import ConfigError


class NormLinear(nn.Linear):
    """x · w_v/‖w_v‖ for each class v: no bias, no scale.

    Args:
        in_features: C.
        out_features: V.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)
        nn.init.xavier_uniform_(self.weight, gain=math.sqrt(2))

    def forward(self, x: Tensor) -> Tensor:
        """(…, C) → (…, V)."""
        return F.linear(x, F.normalize(self.weight, dim=1))


class FactoredLinear(nn.Linear):
    """First whether a sign is said, then which: z_0, then ln softmax(z_1 … z_{V−1}).

    The softmax of these makes σ(z_0) the blank's probability, whatever the glosses'
    logits are (the factored blank of HAT, Variani et al. 2020). When to say a sign is
    so learned from all signs at once. By one softmax over all classes each sign learns
    it for itself, and a network that hesitates between two says neither.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(…, C) → (…, V)."""
        logits = super().forward(x)
        return torch.cat([logits[..., :1], logits[..., 1:].log_softmax(-1)], dim=-1)


_CLASSIFIERS = dict(normalised=NormLinear, linear=nn.Linear, factored=FactoredLinear)


def build_classifier(name: str, in_features: int, out_features: int) -> nn.Module:
    """``linear``, ``normalised`` (``NormLinear``) or ``factored`` (``FactoredLinear``).

    Raises:
        ConfigError: It is none of these.
    """
    if name not in _CLASSIFIERS:
        names = ', '.join(_CLASSIFIERS)
        raise ConfigError(f'classifier={name!r} must be one of {names}')
    return _CLASSIFIERS[name](in_features, out_features)
