"""TwoStream-SLT: from signing to sentences (paper, section 3.2).

Symbols: B clips, T input frames, T' output steps, C channels of a stream, V gloss
classes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import FEATURES_SUFFIX, SignDataSample
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..layers.sequence import ClipLengths
from ..mbart import MBart
from ..recognizers.recognizer import SignRecognizer
from ..recognizers.stream import is_auxiliary
from ..weights import load_weights
from .translator import Translator


class FeaturePreprocessor(BaseDataPreprocessor):
    """Pad cached features; leave frames and keypoints to the recognizer's.

    Args:
        clips: Data preprocessor of the recognizer.
    """

    def __init__(self, clips: BaseDataPreprocessor) -> None:
        super().__init__()
        self.clips = clips

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data: ``inputs`` with lists ``{stream}_features`` of (T', C), or what
                the recognizer's preprocessor takes; ``data_samples``.
            training: Whether it is a training step.

        Returns:
            ``inputs`` with ``{stream}_features`` (B, T', C), zero after the end;
            ``data_samples``.
        """
        if not is_features(data['inputs']):
            return self.clips(data, training)
        data = self.cast_data(data)
        inputs = {k: pad_sequence(rows, True) for k, rows in data['inputs'].items()}
        return dict(inputs=inputs, data_samples=data['data_samples'])


def is_features(inputs: dict) -> bool:
    """Whether a batch holds cached features."""
    return bool(inputs) and all(name.endswith(FEATURES_SUFFIX) for name in inputs)


@MODELS.register_module()
class SignTranslator(Translator):
    """A recognizer with a translation head on any of its outputs.

    Trained on frames and keypoints (the recognizer's backbones run, without
    gradient), or on the pooled features that ``tools/extract_features.py`` has
    computed once. The loss is that of recognition plus that of translation. With
    several heads, their ensemble (eq. 6) is an output of its own.

    Args:
        vocab: The gloss vocabulary: see ``build_vocabulary``.
        recognizer: Config of the recognizer.
        translation: Config of a translation head by output: ``video``,
            ``keypoint``, ``joint``.
        recognizer_checkpoint: A trained recognizer to start from: a checkpoint, or
            a work folder, of which the best one is taken.
        checkpoint: A trained translator to start from, likewise; it may have heads
            that this one has not.
        freeze_backbone: Train the heads only. False trains everything, pyramid
            included, and cannot use cached features.
        recognition_weight, translation_weight: Of the two parts of the loss.
    """

    def __init__(
        self,
        vocab: dict | GlossVocabulary,
        recognizer: dict,
        translation: Mapping[str, dict],
        recognizer_checkpoint: str = '',
        checkpoint: str = '',
        freeze_backbone: bool = True,
        recognition_weight: float = 1.0,
        translation_weight: float = 1.0,
    ) -> None:
        vocab = build_vocabulary(vocab)
        built = MODELS.build(recognizer | dict(vocab=vocab))
        super().__init__(data_preprocessor=FeaturePreprocessor(built.data_preprocessor))
        self.vocab = vocab
        self.recognizer = built
        self.recognizer_checkpoint = recognizer_checkpoint
        self.checkpoint = checkpoint
        self.recognition_weight = recognition_weight
        self.translation_weight = translation_weight
        self.freeze_backbone = freeze_backbone
        outputs = built.heads
        unknown = sorted(translation.keys() - outputs.keys())
        if unknown or not translation:
            raise ConfigError(
                f'translation has heads for {unknown or "no output"}; the recognizer '
                f'has the outputs {", ".join(outputs)}'
            )
        self.translation = nn.ModuleDict()
        for name, head in translation.items():
            supplied = dict(in_channels=outputs[name].hidden_channels, glosses=vocab)
            head = dict(type='MBartTranslationHead') | dict(head) | supplied
            self.translation[name] = MODELS.build(head)
        self.check_same_text()
        if freeze_backbone:
            freeze(built)

    # What hooks ask of a model ----------------------------------------------

    def infeasible(self, data_samples: Sequence[SignDataSample]) -> list[str]:
        """See ``SignRecognizer``."""
        return self.recognizer.infeasible(data_samples)

    @property
    def mbarts(self) -> dict[str, MBart]:
        """By output."""
        return {name: head.mbart for name, head in self.translation.items()}

    def network_fingerprint(self) -> str:
        """Of the weights that cached features must have been computed with."""
        return fingerprint(self.recognizer)

    def init_weights(self) -> None:
        """Load the checkpoints that are named.

        Raises:
            FileNotFoundError, CheckpointError: If one does not fit.
        """
        self.recognizer.init_weights()
        for head in self.translation.values():
            head.init_weights()
        known = dict(optional=is_auxiliary, glosses=self.vocab)
        if file := self.recognizer_checkpoint:
            load_weights(self.recognizer, file, "the translator's recognizer", **known)
        if file := self.checkpoint:
            text = self.text_vocabulary.fingerprint()
            load_weights(self, file, 'the translator', text=text, **known)

    def train(self, mode: bool = True) -> SignTranslator:
        """As usual, but frozen parts stay in evaluation mode."""
        super().train(mode)
        if self.freeze_backbone:
            self.recognizer.eval()
            for head in self.recognizer.heads.values():
                head.train(mode)
        return self

    # The network ------------------------------------------------------------

    def pooled(self, inputs: dict[str, Tensor]) -> tuple[dict[str, Tensor], int]:
        """Pooled features (B, T', C) by stream, and T.

        Raises:
            ConfigError: If cached features are of other streams or channels.
        """
        if not is_features(inputs):
            with torch.no_grad():
                pooled = self.recognizer.pooled(inputs)
            return pooled, next(iter(inputs.values())).shape[2]
        pooled = {k.removesuffix(FEATURES_SUFFIX): x for k, x in inputs.items()}
        streams = self.recognizer.streams
        expected = {name: stream.out_channels for name, stream in streams.items()}
        found = {name: x.shape[2] for name, x in pooled.items()}
        if found != expected:
            raise ConfigError(
                f'the cached features have the channels {found}, the recognizer '
                f'{expected}; extract them with this recognizer'
            )
        name, x = next(iter(pooled.items()))
        return pooled, streams[name].frames(x)

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[SignDataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Run the network.

        Args:
            inputs: What the recognizer takes, or ``{stream}_features`` (B, T', C).
            data_samples: One per clip, with its ``length`` in frames; may be left
                out in mode ``tensor``.
            mode: ``loss`` → dict with one scalar per term of the loss;
                ``predict`` → the data samples with ``predictions`` (glosses) and
                ``translations`` of every head and, with several, ``ensemble``;
                ``tensor`` → gloss logits (B, T', V) by output.
        """
        if mode not in ('loss', 'predict', 'tensor'):
            raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', not {mode}")
        levels = {}
        if self.freeze_backbone or mode != 'loss':
            pooled, frames = self.pooled(inputs)
        elif is_features(inputs):
            raise ConfigError(
                'freeze_backbone=False trains the backbones, which cached features '
                'leave out: take a pipeline that loads frames, or freeze them'
            )
        else:
            pooled, levels = self.recognizer.pooled_levels(inputs)
            frames = next(iter(inputs.values())).shape[2]
        lengths = None
        if data_samples is not None:
            lengths = ClipLengths([sample.length for sample in data_samples], frames)
        outputs = self.recognizer.classify(pooled, lengths)
        logits = {name: output.logits for name, output in outputs.items()}
        if mode == 'tensor':
            return logits
        gloss_features = {name: outputs[name].features for name in self.translation}
        arguments = {name: (x, lengths.of(x)) for name, x in gloss_features.items()}
        if mode == 'predict':
            samples = self.recognizer.predict(logits, data_samples, frames)
            heads = self.translation.items()
            sources = {name: head.encode(*arguments[name]) for name, head in heads}
            return self.write_sentences(samples, sources, ensemble=len(sources) > 1)
        losses = self.recognizer.losses(outputs, levels, data_samples, lengths)
        losses = {k: self.recognition_weight * loss for k, loss in losses.items()}
        for name, head in self.translation.items():
            loss = head.loss(*arguments[name], data_samples)
            losses[f'loss_translation_{name}'] = self.translation_weight * loss
        return losses


def freeze(recognizer: SignRecognizer) -> None:
    """Stop everything but the heads from being trained."""
    trained = set(nn.ModuleList(recognizer.heads.values()).parameters())
    for parameter in set(recognizer.parameters()) - trained:
        parameter.requires_grad_(False)


def fingerprint(recognizer: SignRecognizer) -> str:
    """Names the weights that pooled features depend on.

    Two recognizers with the same fingerprint compute the same features of the same
    clip, whatever their heads.
    """
    digest = hashlib.sha256()
    edges = {name: stream.head.edge for name, stream in recognizer.streams.items()}
    if any(edges.values()):
        digest.update(f'{edges} '.encode())
    for key, value in sorted(recognizer.state_dict().items()):
        of_head = key.startswith(('joint_head.', 'video.head.', 'keypoint.head.'))
        if not of_head and not is_auxiliary(key) and 'num_batches_tracked' not in key:
            digest.update(f'{key} {tuple(value.shape)} '.encode())
            plain = value.detach().to('cpu', torch.float32).contiguous()
            digest.update(plain.numpy().tobytes())
    return digest.hexdigest()[:32]
