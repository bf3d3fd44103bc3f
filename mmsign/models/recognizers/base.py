"""What the recognizers share: modes, losses, decoding.

Symbols: B clips, T input frames, T' output steps, V gloss classes with the
blank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor

from mmsign import compat
from mmsign.decoding.ctc import CTCBeamSearch, Hypothesis
from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import GlossPrediction, SignDataSample
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..layers.memory_format import to_memory_format
from ..losses.ctc_loss import steps_needed
from ..streams import Stream, is_training_only, stream_modules

Features = dict[str, list[Tensor]]
PosteriorObserver = Callable[[dict[str, Tensor], list[SignDataSample], int], None]


class SignRecognizer(BaseModel):
    """A recognizer over one or more streams.

    Args:
        vocab: The gloss vocabulary: see ``build_vocabulary``. The number of
            classes follows from it.
        video, keypoint: Configs of the streams; see ``Stream``.
        pyramid: Config of the sign pyramid, built once per stream; None for no
            auxiliary heads.
        loss: Config of the loss of every gloss output.
        decoder: Arguments of ``CTCBeamSearch``.
        data_preprocessor: Config; its input sizes determine the geometry of
            everything that is built.
    """

    def __init__(
        self,
        vocab: dict | GlossVocabulary,
        video: dict | None = None,
        keypoint: dict | None = None,
        pyramid: dict | None = None,
        loss: dict | None = None,
        decoder: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        # Built here: BaseModel would look in the default scope.
        preprocessor = MODELS.build(
            dict(type='SignDataPreprocessor') | (data_preprocessor or {})
        )
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.vocab = build_vocabulary(vocab)
        for name, config in dict(video=video, keypoint=keypoint).items():
            if config is not None:
                key = self.data_preprocessor.input_key(name)
                stream = Stream(
                    name,
                    len(self.vocab),
                    self.data_preprocessor.input_shape(key),
                    **dict(input_key=key, pyramid=pyramid) | config,
                )
                setattr(self, name, stream)
        self.gloss_loss = MODELS.build(loss or dict(type='CTCLoss'))
        self.decoder = CTCBeamSearch(**(decoder or {}))
        # Clips whose glosses the output of this epoch could not spell; read
        # and cleared by the training report.
        self.infeasible_clips: set[str] = set()
        # Called in mode predict with the log-probabilities (B, T', V) of every output,
        # the data samples and T; for those who look at more than what is decoded.
        self.posterior_observer: PosteriorObserver | None = None

    @property
    def output_stride(self) -> int:
        """Input frames per output step: a clip of n frames has ⌊n/stride⌋ steps."""
        return max(stream.output_stride for stream in self.streams.values())

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by name, video first."""
        return stream_modules(self)

    def _finish(self) -> None:
        # Called when every part is built.
        to_memory_format(self, self.data_preprocessor.memory_format)
        compat.patch_small_convolutions(self)

    # The network ----------------------------------------------------------

    def encode(self, inputs: dict[str, Tensor]) -> Features:
        """Outputs of every stage of every stream."""
        features: Features = {}
        for name, stream in self.streams.items():
            x = inputs[stream.input_key]
            features[name] = []
            for stage in stream.stages():
                x = stage(x)
                features[name].append(x)
        return features

    def pool(self, features: Features) -> dict[str, Tensor]:
        """Last features of each stream averaged over space, (B, T', C)."""
        return {name: s.pool(features[name][-1]) for name, s in self.streams.items()}

    def head_outputs(
        self, pooled: dict[str, Tensor], lengths: Sequence[int], frames: int
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """By output name: logits (B, T', V) and gloss features (B, T', hidden).

        Args:
            pooled: (B, T', C) features by stream, from ``pool``.
            lengths: Valid frames of each clip.
            frames: T.
        """
        return {
            name: stream.head(pooled[name], self._steps(lengths, frames, pooled[name]))
            for name, stream in self.streams.items()
        }

    def heads(
        self, pooled: dict[str, Tensor], lengths: Sequence[int], frames: int
    ) -> dict[str, Tensor]:
        """Main gloss logits (B, T', V) by output name."""
        outputs = self.head_outputs(pooled, lengths, frames)
        return {name: logits for name, (logits, _) in outputs.items()}

    def agreement_losses(
        self, logits: dict[str, Tensor], lengths: Sequence[int], frames: int
    ) -> dict[str, Tensor]:
        """Loss terms between the outputs; none for a single stream."""
        return {}

    @staticmethod
    def _steps(lengths: Sequence[int], frames: int, output: Tensor) -> Tensor:
        """(B,) valid steps of an output (B, T', …): ⌊length · T'/T⌋."""
        steps = output_steps(lengths, frames, output.shape[1])
        return torch.tensor(steps, device=output.device)

    # Modes ----------------------------------------------------------------

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[SignDataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Run the network.

        Args:
            inputs: ``video`` (B, 3, T, H, W) and/or ``heatmaps``
                (B, K, T, h, w), or for a graph ``points`` (B, 3, T, K, 1), as the
                data preprocessor makes them.
            data_samples: One per clip, with its ``length`` in frames. May be
                left out in mode ``tensor``: every clip then has length T.
            mode: ``loss`` → dict with one scalar per term of the loss;
                ``predict`` → the data samples with ``predictions`` for every
                output; ``tensor`` → dict of logits (B, T', V) under the
                outputs' names, ``average`` (B, T', V), the mean of their
                probabilities, and ``lengths`` (B,) in steps.
        """
        frames = next(iter(inputs.values())).shape[2]
        if data_samples is None:
            if mode != 'tensor':
                raise ConfigError(f'mode {mode!r} needs data_samples')
            lengths = [frames] * next(iter(inputs.values())).shape[0]
        else:
            lengths = [sample.length for sample in data_samples]
        if mode == 'loss':
            return self.loss(inputs, data_samples, lengths, frames)
        if mode not in ('predict', 'tensor'):
            raise ConfigError(
                f"mode must be 'loss', 'predict' or 'tensor', not {mode!r}"
            )
        logits = self.heads(self.pool(self.encode(inputs)), lengths, frames)
        if mode == 'predict':
            return self.predict(logits, data_samples, frames)
        steps = next(iter(logits.values()))
        return dict(
            logits,
            average=average_log_probs(logits).exp(),
            lengths=self._steps(lengths, frames, steps),
        )

    def loss(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[SignDataSample],
        lengths: Sequence[int],
        frames: int,
    ) -> dict[str, Tensor]:
        """One entry per term: docs/method.md#training-loss."""
        features = self.encode(inputs)
        logits = self.heads(self.pool(features), lengths, frames)
        return self.output_losses(
            logits, data_samples, lengths, frames
        ) | self.pyramid_losses(features, data_samples, lengths, frames)

    def output_losses(
        self,
        logits: dict[str, Tensor],
        data_samples: list[SignDataSample],
        lengths: Sequence[int],
        frames: int,
    ) -> dict[str, Tensor]:
        """CTC of every output, and the terms between the outputs."""
        targets = self._targets(data_samples)
        losses = {}
        for name, output in logits.items():
            steps = output_steps(lengths, frames, output.shape[1])
            losses[f'loss_ctc_{name}'] = self.gloss_loss(output, steps, targets)
        losses.update(self.agreement_losses(logits, lengths, frames))
        fewest = min(output.shape[1] for output in logits.values())
        for sample, steps, target in zip(
            data_samples, output_steps(lengths, frames, fewest), targets, strict=True
        ):
            if steps_needed(target) > steps:
                self.infeasible_clips.add(sample.clip_id)
        return losses

    def pyramid_losses(
        self,
        features: Features,
        data_samples: list[SignDataSample],
        lengths: Sequence[int],
        frames: int,
    ) -> dict[str, Tensor]:
        """Weighted CTC of every pyramid level; none without a pyramid."""
        targets = self._targets(data_samples)
        losses = {}
        for name, stream in self.streams.items():
            if stream.pyramid is None:
                continue
            levels = stream.pyramid(features[name])
            valid = [self._steps(lengths, frames, level) for level in levels]
            outputs = stream.pyramid_head(levels, valid)
            for index, output in enumerate(outputs):
                steps = output_steps(lengths, frames, output.shape[1])
                losses[f'loss_ctc_{name}_pyramid{index}'] = (
                    stream.pyramid_head.loss_weight
                    * self.gloss_loss(output, steps, targets)
                )
        return losses

    def _targets(self, data_samples: list[SignDataSample]) -> list[list[int]]:
        return [self.vocab.encode(s.glosses, s.clip_id) for s in data_samples]

    def predict(
        self,
        logits: dict[str, Tensor],
        data_samples: list[SignDataSample],
        frames: int,
    ) -> list[SignDataSample]:
        """Decode every output and the average; fill ``predictions``."""
        outputs = {name: x.float().log_softmax(-1) for name, x in logits.items()}
        outputs['average'] = average_log_probs(logits)
        if self.posterior_observer is not None:
            self.posterior_observer(outputs, data_samples, frames)
        lengths = [sample.length for sample in data_samples]
        predictions: list[dict[str, GlossPrediction]] = [{} for _ in data_samples]
        for name, log_probs in outputs.items():
            steps = output_steps(lengths, frames, log_probs.shape[1])
            decoded = self.decoder(log_probs.cpu(), steps, self.vocab.blank_index)
            stride = frames / log_probs.shape[1]
            for found, sample, hypotheses in zip(
                predictions, data_samples, decoded, strict=True
            ):
                found[name] = self._prediction(hypotheses, sample, stride)
        for sample, found in zip(data_samples, predictions, strict=True):
            sample.predictions = found
        return data_samples

    def _prediction(
        self, hypotheses: list[Hypothesis], sample: SignDataSample, stride: float
    ) -> GlossPrediction:
        best = hypotheses[0]
        source = sample.frame_indices
        spans = tuple(
            (
                int(source[min(int(start * stride), sample.length - 1)]),
                int(source[min(math.ceil(end * stride), sample.length) - 1]) + 1,
            )
            for start, end in best.spans
        )
        return GlossPrediction(
            glosses=tuple(self.vocab.decode(best.ids)),
            score=best.score,
            spans=spans,
            n_best=tuple(
                (tuple(self.vocab.decode(h.ids)), h.score) for h in hypotheses
            ),
        )

    # Checkpoints ----------------------------------------------------------

    def required_state(self) -> dict[str, Tensor]:
        """The tensors a checkpoint must hold for inference (no pyramid)."""
        return {k: v for k, v in self.state_dict().items() if not is_training_only(k)}


def output_steps(lengths: Sequence[int], frames: int, steps: int) -> list[int]:
    """Valid steps ⌊length · T'/T⌋ of each clip."""
    return [length * steps // frames for length in lengths]


def average_log_probs(logits: dict[str, Tensor]) -> Tensor:
    """Log of the mean of the outputs' probabilities, (B, T', V)."""
    stacked = torch.stack([x.float().log_softmax(-1) for x in logits.values()])
    return stacked.logsumexp(0) - math.log(len(logits))
