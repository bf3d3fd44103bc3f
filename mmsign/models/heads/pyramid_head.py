"""Auxiliary heads of the sign pyramid, in training only."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.registry import MODELS

from .gloss_head import GlossHead


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
