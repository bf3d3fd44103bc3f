"""The smallest head: pooled features of a stream → gloss logits.

Symbols: B clips, T steps, C channels, V gloss classes with the blank.
"""

import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmsign import compat
from mmsign.registry import MODELS

from ..layers.sequence import Dropout


@MODELS.register_module()
class LinearHead(BaseModule):
    """Dropout, then a linear classifier of each step.

    For small corpora: it knows nothing of where in a clip a step is, which is all that
    the position encoding of ``GlossHead`` can learn from clips of one sign, and has
    the fewest weights.

    Args:
        in_channels: C of the pooled features, which are the gloss features; supplied
            by the recognizer.
        num_classes: V; supplied by the recognizer.
        dropout: Probability.

    Examples:
        >>> import torch
        >>> logits, features = LinearHead(16, num_classes=5)(torch.zeros(2, 7, 16))
        >>> logits.shape, features.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 7, 16]))
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        dropout: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.hidden_channels = in_channels
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(in_channels, num_classes)

    def forward(
        self, x: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Classify each step.

        Args:
            x: (B, T, C) pooled features.
            lengths: Unused: steps do not see each other.

        Returns:
            Logits (B, T, V) and ``x``, in float32.
        """
        with compat.without_autocast(x.device.type):
            x = x.float()
            return self.classifier(self.dropout(x)), x
