"""The head: pooled features of a stream → gloss logits (paper, section 3.1).

Symbols: B clips, T steps, C channels, V gloss classes with the blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmsign import compat
from mmsign.registry import MODELS

from ..layers.sequence import MaskedBatchNorm, PositionEncoding, length_mask


class _FeedForward(nn.Module):
    """x + Conv1d → ReLU → Conv1d on LayerNorm(x), over time."""

    def __init__(self, channels: int, inner: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.conv1 = nn.Conv1d(channels, inner, kernel, padding='same')
        self.conv2 = nn.Conv1d(inner, channels, kernel, padding='same')
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        # Padded steps are zeroed before each convolution, so a clip's logits
        # do not depend on what it is batched with.
        valid = valid[:, None]
        y = self.norm(x).transpose(1, 2) * valid
        y = self.dropout(self.relu(self.conv1(y))) * valid
        y = self.dropout(self.conv2(y))
        return x + y.transpose(1, 2)


@MODELS.register_module()
class GlossHead(BaseModule):
    """Linear, masked batch norm, ReLU, positions, temporal feed-forward, Linear.

    Args:
        in_channels: C of the pooled features; supplied by the recognizer.
        num_classes: V; supplied by the recognizer.
        hidden_channels: Width, also of the gloss feature.
        feedforward_channels: Inner width of the feed-forward layer.
        kernel_size: Of its convolutions over time, in steps.
        dropout: Probability.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        hidden_channels: int = 512,
        feedforward_channels: int = 2048,
        kernel_size: int = 3,
        dropout: float = 0.1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.hidden_channels = hidden_channels
        self.fc = nn.Linear(in_channels, hidden_channels)
        self.norm = MaskedBatchNorm(hidden_channels)
        self.relu = nn.ReLU()
        self.positions = PositionEncoding(hidden_channels)
        self.dropout = nn.Dropout(dropout)
        self.feedforward = _FeedForward(
            hidden_channels, feedforward_channels, kernel_size, dropout
        )
        self.norm_out = nn.LayerNorm(hidden_channels, eps=1e-6)
        self.classifier = nn.Linear(hidden_channels, num_classes)
        # Not smaller: the gradient that reaches the backbone is proportional to
        # these weights, and a near-uniform start would take hundreds of steps.
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(
        self, x: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Classify each step.

        Args:
            x: (B, T, C) pooled features.
            lengths: (B,) valid steps; None if all are.

        Returns:
            Logits (B, T, V) and gloss features (B, T, hidden), in float32, as they
            are computed under autocast too.
        """
        if lengths is None:
            valid = torch.ones_like(x[..., 0], dtype=torch.float32)
        else:
            valid = length_mask(lengths, x.shape[1]).float()
        # A few rows: casts would cost more than 16 bit save.
        with compat.without_autocast(x.device.type):
            x = self.relu(self.norm(self.fc(x.float()), valid))
            x = self.dropout(self.positions(x))
            features = self.norm_out(self.feedforward(x, valid))
            return self.classifier(features), features


@MODELS.register_module()
class JointHead(GlossHead):
    """The same head on the channels of both streams, keypoint first."""


@MODELS.register_module()
class PyramidHead(BaseModule):
    """One gloss head per merged pyramid level.

    Args:
        in_channels: Channels of the levels, lowest first; supplied by the
            recognizer.
        num_classes: Gloss classes with the blank; supplied by the recognizer.
        loss_weight: Weight of each level's CTC loss; the paper's are 0.2 for
            the video and 0.5 for the keypoint stream.
        **head: Passed on to each ``GlossHead``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        loss_weight: float,
        init_cfg: dict | None = None,
        **head,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.loss_weight = loss_weight
        self.heads = nn.ModuleList(
            GlossHead(channels, num_classes, **head) for channels in in_channels
        )

    def forward(
        self, levels: Sequence[Tensor], lengths: Sequence[Tensor]
    ) -> list[Tensor]:
        """Logits (B, T_i, V) of each level (B, T_i, C_i) with lengths (B,)."""
        return [
            head(level, valid)[0]
            for head, level, valid in zip(self.heads, levels, lengths, strict=True)
        ]
