"""TwoStream-SLR (Chen et al. 2022, section 3), with either stream or both.

Symbols: B clips, T input frames, T' output steps, C channels, V gloss classes with the
blank.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmsign import compat, decoding
from mmsign.errors import ConfigError
from mmsign.evaluation.single_signs import BEST_SIGNS
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary, build_vocabulary, is_feasible

from ..heads.gloss_head import HeadOutput, classify_together, needed_rows, output_steps
from ..layers.reuse import ReusedMemory
from ..layers.sequence import ClipLengths, without_ends
from ..layers.volume import arrange_weights, count_batches, weights_cast
from .stream import STREAMS, Stream, edge_of, is_auxiliary

# Of every stream: the outputs of its stages; the merged levels of its pyramid, pooled.
Features = dict[str, list[Tensor]]
Levels = dict[str, list[Tensor]]


@MODELS.register_module(
    # One network under the names that configs give its two uses.
    name=['TwoStreamRecognizer', 'SingleStreamRecognizer', 'SignRecognizer']
)
class SignRecognizer(BaseModel):
    """Recognize glosses from video, from keypoints, or from both, connected.

    Every part but a stream can be left out; each one left out is a row of the paper's
    ablation. The streams of a recognizer of both take the checkpoint of a recognizer of
    one (``checkpoint=`` of the stream).

    Args:
        vocab: The gloss vocabulary, see ``build_vocabulary``; the number of classes
            follows from it.
        video, keypoint: Configs of the streams, at least one; see ``Stream``.
        bilateral: Config of the connections between them; None for late fusion.
        pyramid: Config of the sign pyramid, built once per stream; None for no
            auxiliary heads.
        joint: Config of the head on both; None averages the two alone.
        distillation: Config of the self-distillation loss, of two outputs at least;
            None for CTC alone.
        loss: Config of the loss of the gloss outputs, which gets all at once; see
            ``CTCLoss``.
        decoder: Arguments of ``CTCBeamSearch``.
        data_preprocessor: Config; its input sizes determine the geometry of
            everything that is built.

    Attributes:
        calibrations: By output, what makes confidences mean something; empty until a
            checkpoint brings them, see ``CalibrationHook``.

    Raises:
        ConfigError: At build time, if the parts do not go together.

    Examples:
        >>> stream = dict(
        ...     backbone=dict(type='S3D', width=0.125),
        ...     head=dict(hidden_channels=8, feedforward_channels=8),
        ... )
        >>> net = SignRecognizer(
        ...     vocab=dict(glosses=['REGEN', 'WIND']),
        ...     video=stream,
        ...     data_preprocessor=dict(video_size=32),
        ... ).eval()
        >>> outputs = net(dict(video=torch.zeros(1, 3, 16, 32, 32)))
        >>> {name: tuple(x.shape) for name, x in outputs.items()}
        {'video': (1, 4, 3), 'average': (1, 4, 3), 'lengths': (1,)}
    """

    def __init__(
        self,
        vocab: dict | GlossVocabulary,
        video: dict | None = None,
        keypoint: dict | None = None,
        bilateral: dict | None = None,
        pyramid: dict | None = None,
        joint: dict | None = None,
        distillation: dict | None = None,
        loss: dict | None = None,
        decoder: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        config = dict(type='SignDataPreprocessor') | (data_preprocessor or {})
        preprocessor = MODELS.build(config)
        super().__init__(preprocessor, init_cfg)
        self.vocab = build_vocabulary(vocab)
        for name, config in dict(video=video, keypoint=keypoint).items():
            if config is not None:
                config = dict(pyramid=pyramid) | config
                setattr(self, name, Stream(name, self.vocab, preprocessor, **config))
        # A pipeline may load more, such as keypoints to find the signer by.
        preprocessor.read = {stream.input_key for stream in self.streams.values()}
        self._check_streams(bilateral=bilateral, joint=joint)
        self.bilateral = self.joint_head = self.distillation = None
        if bilateral is not None:
            stages = {f'{k}_stages': s.stage_info for k, s in self.streams.items()}
            self.bilateral = MODELS.build(bilateral | stages)
        if joint is not None:
            channels = sum(stream.out_channels for stream in self.streams.values())
            sizes = dict(in_channels=channels, num_classes=len(self.vocab))
            self.joint_head = MODELS.build(joint | sizes)
            self._check_joint()
        edge = edge_of(self.streams.values())
        for stream in self.streams.values():
            stream.edge = edge
        if distillation is not None:
            if len(self.heads) < 2:
                raise ConfigError(
                    f'the network has the output {next(iter(self.heads))} alone; '
                    'distillation needs both streams, or a GroupHead'
                )
            self.distillation = MODELS.build(distillation)
        self.gloss_loss = MODELS.build(loss or dict(type='CTCLoss'))
        self.decoder = decoding.CTCBeamSearch(**(decoder or {}))
        self.calibrations: dict[str, decoding.Calibration] = {}
        self._memory = ReusedMemory()
        arrange_weights(self)
        compat.patch_small_convolutions(self)

    def _check_streams(self, **between: dict | None) -> None:
        streams = self.streams
        needless = [name for name, part in between.items() if part is not None]
        if not streams or (len(streams) == 1 and needless):
            what = f'{needless[0]} needs both' if streams else 'name at least one'
            raise ConfigError(
                f'the network has the streams {list(streams)} of video and keypoint; '
                f'{what}'
            )
        strides = {name: stream.output_stride for name, stream in streams.items()}
        if len({*strides.values()}) > 1:
            raise ConfigError(
                f'streams of the output strides {strides} cannot be averaged; name the '
                'same output_stride in both'
            )
        points = any('points' in stream.input_key for stream in streams.values())
        if between['bilateral'] is not None and points:
            raise ConfigError(
                'bilateral connections need maps in both streams, a network on '
                'keypoints themselves has none; leave bilateral out'
            )

    def _check_joint(self) -> None:
        joint = self.joint_head
        for name, stream in self.streams.items():
            strides = {h.time_stride for h in (stream.head, joint)}
            if joint.edge and (stream.head.edge != joint.edge or len(strides) > 1):
                kind = type(joint).__name__
                raise ConfigError(
                    f'the joint head strides itself, the head of the {name} stream not '
                    f'as it does: name head=dict(type={kind!r}) in both streams'
                )

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by name, video first."""
        return {name: getattr(self, name) for name in STREAMS if hasattr(self, name)}

    @property
    def output_stride(self) -> int:
        """Input frames per output step: a clip of n frames has ⌊n/stride⌋ steps."""
        return max(stream.output_stride for stream in self.streams.values())

    @property
    def heads(self) -> dict[str, nn.Module]:
        """By the name of the output of each, in order; their average comes on top."""
        heads = {k: h for s in self.streams.values() for k, h in s.heads.items()}
        return heads if self.joint_head is None else heads | {'joint': self.joint_head}

    # The network ----------------------------------------------------------

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[SignDataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Run the network.

        Args:
            inputs: ``video`` (B, 3, T, H, W) and/or ``heatmaps``
                (B, K, T, h, w), ``points`` (B, 3, T, K, 1) or ``masked_points``
                (B, 4, T, K, 1), as the data preprocessor makes them.
            data_samples: One per clip, with its ``length`` in frames. May be
                left out in mode ``tensor``: every clip then has length T.
            mode: ``loss`` → dict with one scalar per term of the loss;
                ``predict`` → the data samples with ``predictions`` for every
                output; ``tensor`` → dict of logits (B, T', V) under the
                outputs' names, ``average`` (B, T', V), the mean of their
                probabilities, and ``lengths`` (B,) in steps.
        """
        if mode not in ('loss', 'predict', 'tensor'):
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', not {mode}")
        clips, _, frames = next(iter(inputs.values())).shape[:3]
        if data_samples is None and mode != 'tensor':
            raise ValueError(f'mode {mode!r} needs data_samples')
        valid = [frames] * clips
        if data_samples is not None:
            valid = [sample.length for sample in data_samples]
        lengths = ClipLengths(valid, frames)
        if mode == 'loss':
            pooled, levels = self.pooled_levels(inputs)
        else:
            pooled, levels = self.pooled(inputs), {}
        outputs = self.classify(pooled, lengths)
        if mode == 'loss':
            return self.losses(outputs, levels, data_samples, lengths)
        logits = {name: output.logits for name, output in outputs.items()}
        if mode == 'predict':
            return self.predict(logits, data_samples, frames)
        average = decoding.log_probabilities(logits)[decoding.AVERAGE].exp()
        return dict(logits, average=average, lengths=lengths.of(average))

    def encode(self, inputs: dict[str, Tensor]) -> Features:
        """Outputs of every stage of every stream, fused where they are connected."""
        with self._cast(pyramids=False):
            return self._encoded(inputs)

    def _cast(self, pyramids: bool) -> AbstractContextManager:
        """The weights of the streams' layers cast once, with those of the pyramids."""
        streams = self.streams.values()
        # What is computed again in backward casts its own weights then, and so now.
        parts = [stream.backbone for stream in streams]
        parts = [part for part in parts if not getattr(part, 'with_cp', False)]
        parts += [self.bilateral] * bool(self.connections)
        if pyramids:
            parts += [s.pyramid for s in streams if s.pyramid is not None]
        return weights_cast(self._memory, *parts)

    @property
    def connections(self) -> list[dict[str, int]]:
        """Behind which stage of each stream they are connected, in order."""
        return [] if self.bilateral is None else self.bilateral.connections

    def _encoded(self, inputs: dict[str, Tensor]) -> Features:
        x = {n: s.laid_out(inputs[s.input_key]) for n, s in self.streams.items()}
        stages = {name: stream.stages() for name, stream in self.streams.items()}
        ends = {name: len(of_stream) - 1 for name, of_stream in stages.items()}
        features: Features = {name: [] for name in x}
        # All streams up to a connection, the exchange, and on.
        for last in (*self.connections, ends):
            for name in x:
                for stage in stages[name][len(features[name]) : last[name] + 1]:
                    x[name] = stage(x[name])
                    features[name].append(x[name])
            if last is not ends:
                fused = self.bilateral(tuple(last.values()), *x.values())
                for name, y in zip(x, fused):
                    x[name] = features[name][-1] = y
        return features

    def pool(self, features: Features) -> dict[str, Tensor]:
        """Last features of each stream averaged over space, (B, R, C).

        R are T' output steps, of a head that does not stride. At a length that the
        strides do not divide, backbones round up or down; both streams then get the
        smaller number of steps.
        """
        pooled = {n: s.pool(features[n][-1]) for n, s in self.streams.items()}
        steps = {
            name: output_steps(self.streams[name].head, x.shape[1])
            for name, x in pooled.items()
        }
        fewest = min(steps.values())
        for name, x in pooled.items():
            if steps[name] > fewest:
                rows = needed_rows(self.streams[name].head, fewest)
                x = F.adaptive_avg_pool1d(x.transpose(1, 2), rows)
                pooled[name] = x.transpose(1, 2)
        return pooled

    def pooled(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """``pool(encode(inputs))``: what inference needs of the streams."""
        return self.pool(self.encode(inputs))

    def pooled_levels(
        self, inputs: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], Levels]:
        """``pooled``, and the levels of the pyramids: what training needs of them.

        Returns:
            (B, R, C) features by stream; by stream that has a pyramid, the merged
            levels (B, T_i, C_i).
        """
        with self._cast(pyramids=True):
            features = self._encoded(inputs)
            levels = {
                name: stream.pyramid(features[name])
                for name, stream in self.streams.items()
                if stream.pyramid is not None
            }
        return self.pool(features), levels

    def classify(
        self, pooled: dict[str, Tensor], lengths: ClipLengths | None = None
    ) -> dict[str, HeadOutput]:
        """By output name: logits (B, T', V) and gloss features (B, T', hidden).

        Args:
            pooled: (B, R, C) features by stream, from ``pool``.
            lengths: Of the clips; None if every step is valid.
        """
        inputs: dict[str, Tensor] = {}
        for name, stream in self.streams.items():
            inputs |= stream.head_inputs(pooled[name])
        if self.joint_head is not None:
            both = [self._for_joint(name, pooled[name]) for name in STREAMS[::-1]]
            inputs['joint'] = torch.cat(both, dim=-1)
        return classify_together(self.heads, inputs, lengths)

    def _for_joint(self, name: str, x: Tensor) -> Tensor:
        """Pooled features of a stream at the stride of the joint head."""
        head, joint = self.streams[name].head, self.joint_head
        if (head.time_stride, head.edge) == (joint.time_stride, joint.edge):
            return x
        x = without_ends(x, head.edge).transpose(1, 2)
        return F.avg_pool1d(x, head.time_stride).transpose(1, 2)

    def losses(
        self,
        outputs: dict[str, HeadOutput],
        levels: Levels,
        data_samples: list[SignDataSample],
        lengths: ClipLengths,
    ) -> dict[str, Tensor]:
        """One entry per term of the training loss: docs/method.md#training-loss.

        Args:
            outputs: Of ``classify``.
            levels: Of the pyramids, from ``pooled_levels``; none leaves them out.
            data_samples: With the glosses of each clip.
            lengths: Of the clips.
        """
        if self.training:
            count_batches(self)
        targets = [self.vocab.encode(s.glosses, s.clip_id) for s in data_samples]
        logits = {name: output.logits for name, output in outputs.items()}
        spelt, weights = dict(logits), [1.0] * len(logits)
        for name, output in outputs.items():
            for part, x in output.auxiliary.items():
                spelt[f'{name}_{part}'] = x
                weights.append(self.heads[name].auxiliary_weights[part])
        steps = [lengths.steps(x.shape[1]) for x in spelt.values()]
        heads, merged = {}, {}
        for name, of_stream in levels.items():
            head = self.streams[name].pyramid_head
            for number, pair in enumerate(zip(head.heads, of_stream, strict=True)):
                level = f'{name}_pyramid{number}'
                heads[level], merged[level] = pair
                weights.append(head.loss_weight)
        # The levels see the held ends as well.
        edged = lengths.with_edges(max(s.edge for s in self.streams.values()))
        found = classify_together(heads, merged, edged)
        spelt |= {name: output.logits for name, output in found.items()}
        steps += [edged.steps(output.logits.shape[1]) for output in found.values()]
        found = self.gloss_loss(list(spelt.values()), steps, targets, weights=weights)
        losses = {f'loss_ctc_{name}': loss for name, loss in zip(spelt, found)}
        terms = {}
        if self.distillation is not None:
            valid = lengths.of(next(iter(logits.values())))
            terms |= self.distillation(logits, valid)
        for name, output in outputs.items():
            if output.auxiliary:
                own = self.heads[name].distill(output, lengths)
                terms |= {f'{name}_{part}': term for part, term in own.items()}
        return losses | {f'loss_distill_{name}': x for name, x in terms.items()}

    def infeasible(self, data_samples: Sequence[SignDataSample]) -> list[str]:
        """Ids of the clips with more glosses than CTC can align with their steps.

        Their CTC loss is infinite and left out of the training loss.
        """
        return [
            sample.clip_id
            for sample in data_samples
            if not is_feasible(sample.glosses, sample.length // self.output_stride)
        ]

    def predict(
        self, logits: dict[str, Tensor], data_samples: list[SignDataSample], frames: int
    ) -> list[SignDataSample]:
        """Decode every output and the average.

        Args:
            logits: (B, T', V) of every output.
            data_samples: Get ``predictions``, ``log_probs`` and ``clock``.
            frames: T.
        """
        outputs = decoding.log_probabilities(logits)
        outputs = {name: output.detach().cpu() for name, output in outputs.items()}
        steps = outputs[decoding.AVERAGE].shape[1]
        shown = [sample.frame_indices[: sample.length] for sample in data_samples]
        clocks = [decoding.StepClock.of_frames(x, frames, steps) for x in shown]
        # Signs are scored of clips that have no more than one.
        signs = [BEST_SIGNS * (len(s.get('glosses', ())) < 2) for s in data_samples]
        settings = self.decoder, self.vocab, self.calibrations, signs
        decoding.decode_outputs(data_samples, outputs, clocks, *settings)
        return data_samples

    # Checkpoints ----------------------------------------------------------

    def required_state(self) -> dict[str, Tensor]:
        """The tensors a checkpoint must hold for inference (no pyramid)."""
        return {k: v for k, v in self.state_dict().items() if not is_auxiliary(k)}


# What configs and users call it.
TwoStreamRecognizer = SingleStreamRecognizer = SignRecognizer
