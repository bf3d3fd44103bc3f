"""Convolutions over time and a bidirectional LSTM: the head of VAC and its followers
(Min et al. 2021, section 3; SMKD: Hao et al. 2021).

Symbols: B clips, R rows of frame features, T' output steps, C channels, V gloss classes
with the blank; s frames per output step, e frames seen beyond either end of a clip, so
that R = T'·s + 2·e.
"""

import re
from collections.abc import Mapping, Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmsign import compat
from mmsign.errors import ConfigError, DataError
from mmsign.registry import MODELS

from ..layers.classifiers import build_classifier
from ..layers.sequence import (
    ClipLengths,
    Dropout,
    MaskedBatchNorm,
    convolved,
    length_mask,
    upload,
    without_ends,
)
from .gloss_head import HeadOutput, needed_rows, output_steps


@MODELS.register_module()
class TemporalConvLSTMHead(BaseModule):
    """Convolutions and pools over time, a BiLSTM, and a classifier behind each.

    It takes the features of every frame and strides itself. The LSTM's output is
    decoded; that of the convolutions has a CTC loss of its own in training, and may be
    taught by the other: docs/recipes.md.

    Args:
        in_channels: C of the pooled features; supplied by the recognizer.
        num_classes: V; supplied by the recognizer.
        layers: ``K5`` is a convolution of 5 frames without padding, batch norm and
            ReLU, ``P2`` a max pool of 2. s and e follow: (4, 6) of ``K5P2K5P2``.
        hidden_channels: Width of the convolutions, and of the gloss feature.
        classifier: See ``build_classifier``.
        share_classifier: Whether both classifiers are one.
        dropout: Probability, between the two layers of the LSTM.
        input_dropout: Probability, of the frame features.
        convolution_weight: Of the convolutions' CTC loss.
        distillation: Config of the loss of the convolutions' output against the
            LSTM's; None for CTC alone.
        count_padding: Whether steps behind a clip's end count in batch statistics and
            distillation, as they do in the published code. What is trained then
            depends on which clips share a batch.

    Attributes:
        time_stride: s.
        edge: e.

    Raises:
        ConfigError: If ``layers`` or ``classifier`` is none of these.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        layers: str = 'K5P2K5P2',
        hidden_channels: int = 1024,
        classifier: str = 'normalised',
        share_classifier: bool = True,
        dropout: float = 0.3,
        input_dropout: float = 0.0,
        convolution_weight: float = 1.0,
        distillation: dict | None = None,
        count_padding: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.layers = parse_layers(layers)
        if hidden_channels % 2:
            raise ConfigError(
                'TemporalConvLSTMHead: hidden_channels must be even, not '
                f'{hidden_channels}'
            )
        self.hidden_channels, self.count_padding = hidden_channels, count_padding
        self.time_stride, self.edge = stride_and_edge(self.layers)
        kernels = [size for kind, size in self.layers if kind == 'K']
        widths = [in_channels] + [hidden_channels] * len(kernels)
        pairs = zip(widths, widths[1:], kernels)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(*widths, k, padding='same') for *widths, k in pairs
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(hidden_channels) for _ in kernels)
        self.input_dropout = Dropout(input_dropout)
        half = hidden_channels // 2
        settings = dict(num_layers=2, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(hidden_channels, half, dropout=dropout, **settings)
        sizes = hidden_channels, num_classes
        self.classifier = build_classifier(classifier, *sizes)
        self.convolution_classifier = None
        if not share_classifier:
            self.convolution_classifier = build_classifier(classifier, *sizes)
        self.distillation = distillation and MODELS.build(distillation)
        self.auxiliary_weights = dict(convolution=convolution_weight)

    def forward(self, x: Tensor, lengths: Sequence[int] | None = None) -> HeadOutput:
        """Classify each step.

        Args:
            x: (B, R, C) features of every frame, with e more on either side.
            lengths: Valid output steps of each clip, on the host; None if all are.

        Returns:
            Logits (B, T', V) of the LSTM and its output (B, T', hidden); auxiliary
            ``convolution`` (B, T', V). In float32, as they are computed under
            autocast too.

        Raises:
            DataError: If the features are fewer than the head sees at once.
        """
        if output_steps(self, x.shape[1]) < 1:
            raise DataError(
                f'clips of {x.shape[1]} frames, ends included, are shorter than the '
                f'{needed_rows(self, 1)} that TemporalConvLSTMHead sees at once; let '
                'SampleClip make them longer'
            )
        with compat.without_autocast(x.device.type):
            x = self._convolve(self.input_dropout(x.float()), lengths)
            features = self._recur(x, lengths)
            of_convolutions = self.convolution_classifier or self.classifier
            auxiliary = dict(convolution=of_convolutions(x))
            return HeadOutput(self.classifier(features), features, auxiliary)

    def classify(self, x: Tensor, lengths: ClipLengths | None) -> HeadOutput:
        """``forward`` with the lengths of clips."""
        steps = output_steps(self, x.shape[1])
        return self(x, None if lengths is None else lengths.steps(steps))

    def _convolve(self, x: Tensor, lengths: Sequence[int] | None) -> Tensor:
        """(B, R, C) → (B, T', hidden)."""
        valid = torch.full((len(x),), x.shape[1], device=x.device)
        if lengths is not None and not self.count_padding:
            valid = [needed_rows(self, steps) for steps in lengths]
            valid = upload(valid, x.device)
        parts = iter(zip(self.convolutions, self.norms))
        for kind, size in self.layers:
            if kind == 'P':
                x = F.max_pool1d(x.transpose(1, 2), size).transpose(1, 2)
                valid = valid // size
                continue
            conv, norm = next(parts)
            # Of the outputs those that see no zeros beyond the ends.
            x = without_ends(convolved(conv, x), size // 2)
            valid = valid - (size - 1)
            x = F.relu(norm(x, length_mask(valid, x.shape[1])))
        return x

    def _recur(self, x: Tensor, lengths: Sequence[int] | None) -> Tensor:
        """(B, T', hidden) → the same, zeros behind the ends of clips."""
        if lengths is None or min(lengths) == x.shape[1]:
            return self.lstm(x)[0]
        steps = torch.tensor(lengths).clamp_(min=1)
        settings = dict(batch_first=True, enforce_sorted=False)
        packed, _ = self.lstm(pack_padded_sequence(x, steps, **settings))
        return pad_packed_sequence(packed, True, total_length=x.shape[1])[0]

    def distill(self, output: HeadOutput, lengths: ClipLengths) -> dict[str, Tensor]:
        """Terms of the distillation by auxiliary output, weighted."""
        if self.distillation is None:
            return {}
        valid = None if self.count_padding else lengths.of(output.logits)
        pair = output.auxiliary['convolution'], output.logits
        return dict(convolution=self.distillation(*pair, valid))


@MODELS.register_module()
class PathwayTemporalHead(TemporalConvLSTMHead):
    """``TemporalConvLSTMHead``, and in training one more on each pathway's channels.

    For a backbone whose features are those of several pathways, one after the other
    (SlowFastSign: Ahn et al. 2024).

    Args:
        pathways: Channels by pathway, in their order; supplied by the recognizer, from
            the backbone's ``pathway_channels``.
        pathway_weight: Factor of the losses of the pathways' heads.
        **head: Of every head, see ``TemporalConvLSTMHead``.

    Raises:
        ConfigError: If the features are not those of the pathways.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        pathways: Mapping[str, int],
        pathway_weight: float = 0.25,
        init_cfg: dict | None = None,
        **head,
    ) -> None:
        super().__init__(in_channels, num_classes, init_cfg=init_cfg, **head)
        self.widths = list(pathways.values())
        if sum(self.widths) != in_channels:
            raise ConfigError(
                f'PathwayTemporalHead: the pathways of the backbone, {pathways}, are '
                f'not its {in_channels} channels; take TemporalConvLSTMHead'
            )
        self.pathway_weight = pathway_weight
        self.pathways = nn.ModuleDict()
        for name, channels in pathways.items():
            part = TemporalConvLSTMHead(channels, num_classes, **head)
            self.pathways[name] = part
            own = part.auxiliary_weights['convolution']
            self.auxiliary_weights[name] = pathway_weight
            self.auxiliary_weights[f'{name}_convolution'] = pathway_weight * own

    def forward(self, x: Tensor, lengths: Sequence[int] | None = None) -> HeadOutput:
        """As ``TemporalConvLSTMHead``; in training auxiliary are, too, ``PATHWAY`` and
        ``PATHWAY_convolution`` (B, T', V) of each."""
        output = super().forward(x, lengths)
        if not self.training:
            return output
        auxiliary = dict(output.auxiliary)
        parts = x.split(self.widths, dim=-1)
        for (name, head), part in zip(self.pathways.items(), parts, strict=True):
            found = head(part, lengths)
            auxiliary[name] = found.logits
            auxiliary[f'{name}_convolution'] = found.auxiliary['convolution']
        return output._replace(auxiliary=auxiliary)

    def distill(self, output: HeadOutput, lengths: ClipLengths) -> dict[str, Tensor]:
        """Of every head; the pathways' only of an output in training."""
        terms = super().distill(output, lengths)
        found = output.auxiliary
        for name, head in self.pathways.items():
            if name in found:
                pair = dict(convolution=found[f'{name}_convolution'])
                own = head.distill(HeadOutput(found[name], None, pair), lengths)
                for term in own.values():
                    terms[f'{name}_convolution'] = self.pathway_weight * term
        return terms


def parse_layers(text: str) -> list[tuple[str, int]]:
    """``K5P2`` as [('K', 5), ('P', 2)].

    Raises:
        ConfigError: If it is something else, or a kernel is even.
    """
    found = [(kind, int(size)) for kind, size in re.findall(r'([KP])(\d+)', text)]
    fits = all(size % 2 if kind == 'K' else size for kind, size in found)
    if 'K' not in text or not fits or text != ''.join(f'{k}{n}' for k, n in found):
        raise ConfigError(
            f'TemporalConvLSTMHead: layers={text!r} must be convolutions K of odd '
            'sizes and pools P, as K5P2K5P2'
        )
    return found


def stride_and_edge(layers: Sequence[tuple[str, int]]) -> tuple[int, int]:
    """Frames per step, and frames that a step sees beyond its own on either side.

    Examples:
        >>> stride_and_edge(parse_layers('K5P2K5P2'))
        (4, 6)
    """
    stride, edge = 1, 0
    for kind, size in layers:
        if kind == 'P':
            stride *= size
        else:
            edge += size // 2 * stride
    return stride, edge
