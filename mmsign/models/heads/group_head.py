"""Several gloss heads on groups of features, such as MSKA's."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from .gloss_head import GlossHead

READS: dict[str, tuple[str, ...]] = dict(
    left=('left', 'face'),
    right=('right', 'face'),
    fuse=('left', 'face', 'right', 'body'),
    body=('body',),
)
"""The published heads of MSKA and the groups that each sees."""


@MODELS.register_module()
class GroupHead(BaseModule):
    """One gloss head per combination of groups, in ``heads``.

    Each is an output of the recognizer; their average is the ensemble, and the
    recognizer's ``distillation`` teaches each what the average says.

    Args:
        in_channels: C of the pooled features; supplied by the stream.
        num_classes: V; supplied by the stream.
        groups: Names of the groups, which share the channels evenly; supplied by the
            stream, from its backbone.
        reads: By the name of a head, the groups it sees.
        **head: Passed on to each ``GlossHead``.

    Attributes:
        time_stride, edge: As of ``GlossHead``.

    Raises:
        ConfigError: If a head sees no group, or one that the backbone has not.
    """

    time_stride, edge = GlossHead.time_stride, GlossHead.edge
    hands_on_to = GlossHead

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        groups: Sequence[str],
        reads: Mapping[str, Sequence[str]] = READS,
        init_cfg: dict | None = None,
        **head,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.groups, self.reads = tuple(groups), dict(reads)
        for name, seen in self.reads.items():
            if not seen or set(seen) - set(groups):
                raise ConfigError(
                    f'GroupHead: reads[{name!r}]={tuple(seen)} must be some of the '
                    f'groups that the backbone has, {self.groups or "none"}'
                )
        width = in_channels // len(groups)
        self.heads = nn.ModuleDict(
            {
                name: GlossHead(width * len(seen), num_classes, **head)
                for name, seen in self.reads.items()
            }
        )

    def inputs(self, x: Tensor) -> dict[str, Tensor]:
        """What each head sees of pooled features (B, T, C), the groups in its order."""
        parts = dict(zip(self.groups, x.chunk(len(self.groups), dim=-1)))
        return {
            name: torch.cat([parts[group] for group in seen], dim=-1)
            for name, seen in self.reads.items()
        }
