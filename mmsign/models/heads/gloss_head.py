"""The head: pooled features of a stream → gloss logits (paper, section 3.1).

Symbols: B clips, T steps, C channels, V gloss classes with the blank.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmsign import compat
from mmsign.registry import MODELS

from ..layers.classifiers import build_classifier
from ..layers.sequence import (
    ClipLengths,
    Dropout,
    LinearOfEach,
    MaskedBatchNorm,
    PositionEncoding,
    convolved,
    length_mask,
    masked_batch_norms,
    windows,
)


class HeadOutput(NamedTuple):
    """What a head makes of pooled features.

    Attributes:
        logits: (B, T', V), which are decoded.
        features: (B, T', hidden), the gloss features: what sentences are made of.
        auxiliary: Logits (B, T', V) by name, for the training loss alone.
    """

    logits: Tensor
    features: Tensor
    auxiliary: Mapping[str, Tensor] = {}


def output_steps(head: nn.Module, rows: int) -> int:
    """T' that a head makes of so many rows of features, ends included."""
    return (rows - 2 * head.edge) // head.time_stride


def needed_rows(head: nn.Module, steps: int) -> int:
    """Rows of features of so many output steps, ends included."""
    return steps * head.time_stride + 2 * head.edge


class _FeedForward(nn.Module):
    """x + Conv1d → ReLU → Conv1d on LayerNorm(x), over time."""

    def __init__(self, channels: int, inner: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.conv1 = nn.Conv1d(channels, inner, kernel, padding='same')
        self.conv2 = nn.Conv1d(inner, channels, kernel, padding='same')
        self.relu = nn.ReLU()
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        # Padded steps are zeroed before each convolution, so a clip's logits
        # do not depend on what it is batched with.
        valid = valid[..., None]
        y = self.norm(x) * valid
        y = self.dropout(self.relu(convolved(self.conv1, y))) * valid
        return x + self.dropout(convolved(self.conv2, y))


class StepHead(BaseModule):
    """A head of one output step per row of features, which needs no other rows."""

    time_stride, edge = 1, 0

    def classify(self, x: Tensor, lengths: ClipLengths | None) -> HeadOutput:
        """``forward`` with the lengths of clips."""
        return self(x, None if lengths is None else lengths.of(x))


@MODELS.register_module()
class GlossHead(StepHead):
    """Linear, masked batch norm, ReLU, positions, temporal feed-forward, Linear.

    Args:
        in_channels: C of the pooled features; supplied by the recognizer.
        num_classes: V; supplied by the recognizer.
        hidden_channels: Width, also of the gloss feature.
        feedforward_channels: Inner width of the feed-forward layer.
        kernel_size: Of its convolutions over time, in steps.
        dropout: Probability.
        count_padding: Whether padded steps are seen by the convolutions and, in
            training, are not normalised, as in the published code; a clip's last
            logits then change with what it is batched with.

    Attributes:
        time_stride: Rows of features per step.
        edge: Rows that it needs beyond either end of a clip.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        hidden_channels: int = 512,
        feedforward_channels: int = 2048,
        kernel_size: int = 3,
        dropout: float = 0.1,
        count_padding: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.hidden_channels, self.kernel_size = hidden_channels, kernel_size
        inner = feedforward_channels, kernel_size
        self.sizes = num_classes, hidden_channels, *inner, dropout
        self.count_padding = count_padding
        self.fc = nn.Linear(in_channels, hidden_channels)
        self.norm = MaskedBatchNorm(hidden_channels)
        self.relu = nn.ReLU()
        self.positions = PositionEncoding(hidden_channels)
        self.dropout = Dropout(dropout)
        self.feedforward = _FeedForward(hidden_channels, *inner, dropout)
        self.norm_out = nn.LayerNorm(hidden_channels, eps=1e-6)
        self.classifier = nn.Linear(hidden_channels, num_classes)
        # Not smaller: the gradient that reaches the backbone is proportional to
        # these weights, and a near-uniform start would take hundreds of steps.
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> HeadOutput:
        """Classify each step.

        Args:
            x: (B, T, C) pooled features.
            lengths: (B,) valid steps; None if all are.

        Returns:
            Logits (B, T, V) and gloss features (B, T, hidden), in float32, as they
            are computed under autocast too.
        """
        valid = _valid(x, lengths)
        # A few rows: casts would cost more than 16 bit save.
        with compat.without_autocast(x.device.type):
            x = self.fc(x.float())
            normed = self.norm(x, valid)
            if self.count_padding:
                if self.training:
                    normed = torch.where(valid[..., None] > 0, normed, x)
                valid = torch.ones_like(valid)
            x = self.dropout(self.positions(self.relu(normed)))
            features = self.norm_out(self.feedforward(x, valid))
            return HeadOutput(self.classifier(features), features)


@MODELS.register_module()
class LinearHead(StepHead):
    """Dropout and one linear layer, for networks that a few hundred clips train.

    Args:
        in_channels: C of the pooled features; supplied by the recognizer.
        num_classes: V; supplied by the recognizer.
        dropout: Probability.
        classifier: See ``build_classifier``.

    Raises:
        ConfigError: If ``classifier`` is none of these.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        dropout: float = 0.3,
        classifier: str = 'linear',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.hidden_channels = in_channels
        self.dropout = Dropout(dropout)
        self.classifier = build_classifier(classifier, in_channels, num_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> HeadOutput:
        """As ``GlossHead.forward``: the gloss features are the features themselves."""
        with compat.without_autocast(x.device.type):
            x = x.float()
            return HeadOutput(self.classifier(self.dropout(x)), x)


def _valid(x: Tensor, lengths: Tensor | None) -> Tensor:
    """(B, T) of features (B, T, C): 1 on valid steps, else 0."""
    if lengths is None:
        return torch.ones_like(x[..., 0], dtype=torch.float32)
    return length_mask(lengths, x.shape[1]).float()


def classify_together(
    heads: Mapping[str, nn.Module],
    features: Mapping[str, Tensor],
    lengths: ClipLengths | None,
) -> dict[str, HeadOutput]:
    """Each head on the features of its name, in training with few launches.

    Gloss heads of one size on features of as many steps are computed at once, their
    layers side by side in the channels.

    Args:
        heads: ``GlossHead`` or others like it.
        features: (B, T_i, C_i) for each.
        lengths: Of the clips; None if every step is valid.

    Returns:
        Of each what it returns alone.
    """
    groups: dict[tuple, list[str]] = {}
    for name, head in heads.items():
        ours = type(head).forward is GlossHead.forward and not head.count_padding
        ours = ours and head.training
        alike = (features[name].shape[1], *head.sizes) if ours else (name,)
        groups.setdefault(alike, []).append(name)
    found = {}
    for names in groups.values():
        group, inputs = [heads[n] for n in names], [features[n] for n in names]
        if len(group) == 1:
            found[names[0]] = group[0].classify(inputs[0], lengths)
        else:
            valid = None if lengths is None else lengths.of(inputs[0])
            found |= zip(names, _on_each(group, inputs, valid))
    return {name: found[name] for name in heads}


_NORMS = 'norm', 'feedforward.norm', 'norm_out'
_PRODUCTS = 'fc', 'feedforward.conv1', 'feedforward.conv2', 'classifier'
# Parameters of a head that are one per channel.
_VECTORS = (
    *(f'{name}.{kind}' for name in _NORMS for kind in ('weight', 'bias')),
    *(f'{name}.bias' for name in _PRODUCTS),
)


def _on_each(
    heads: Sequence[GlossHead], features: Sequence[Tensor], lengths: Tensor | None
) -> list[HeadOutput]:
    """What each of G heads of one size makes of its features, in training.

    As in ``GlossHead``, on (G, B, T, C).
    """
    count, first = len(heads), heads[0]
    relu, dropout = first.relu, first.dropout
    parameters = [dict(head.named_parameters()) for head in heads]
    vectors = [of_head[name] for name in _VECTORS for of_head in parameters]
    sizes = [count * vector.numel() for vector in vectors[::count]]
    parts = torch.cat(vectors).split(sizes)
    # (G, C) by name.
    vectors = {n: part.view(count, -1) for n, part in zip(_VECTORS, parts)}

    def layer_norm(x: Tensor, name: str) -> Tensor:
        x = F.layer_norm(x, x.shape[-1:], eps=first.norm_out.eps)
        weight, bias = (vectors[f'{name}.{kind}'] for kind in ('weight', 'bias'))
        return x * weight[:, None, None] + bias[:, None, None]

    def linear(inputs: Sequence[Tensor], name: str) -> Tensor:
        """A linear layer, or a convolution over time, of each (B, T, C)."""
        weights = [of_head[f'{name}.weight'] for of_head in parameters]
        rows = [x.flatten(0, 1) for x in inputs]
        y = LinearOfEach.apply(vectors[f'{name}.bias'], *rows, *weights)
        return y.unflatten(1, inputs[0].shape[:2])

    def over_time(x: Tensor, name: str) -> Tensor:
        return linear(windows(x, first.kernel_size).unbind(), name)

    valid = _valid(features[0], lengths)
    affine = vectors['norm.weight'], vectors['norm.bias']
    with compat.without_autocast(valid.device.type):
        x = linear([of_head.float() for of_head in features], 'fc')
        norms = [head.norm for head in heads]
        x = relu(masked_batch_norms(norms, x, valid, *affine))
        x = dropout(first.positions(x))
        valid = valid[..., None]
        y = layer_norm(x, 'feedforward.norm') * valid
        y = dropout(relu(over_time(y, 'feedforward.conv1'))) * valid
        y = dropout(over_time(y, 'feedforward.conv2'))
        x = layer_norm(x + y, 'norm_out')
        return list(
            map(HeadOutput, linear(x.unbind(), 'classifier').unbind(), x.unbind())
        )


@MODELS.register_module()
class JointHead(GlossHead):
    """The same head on the channels of both streams, keypoint first."""


@MODELS.register_module()
class PyramidHead(BaseModule):
    """One gloss head per merged pyramid level, in ``heads``.

    Args:
        in_channels: Channels of the levels, lowest first; supplied by the
            recognizer.
        num_classes: Gloss classes with the blank; supplied by the recognizer.
        loss_weight: Weight of each level's CTC loss; the paper's are 0.2 for
            the video and 0.5 for the keypoint stream.
        **head: Passed on to each ``GlossHead``.
    """

    hands_on_to = GlossHead

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
        of_levels = zip(self.heads, levels, lengths, strict=True)
        return [head(x, valid)[0] for head, x, valid in of_levels]
