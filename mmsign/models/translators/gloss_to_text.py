"""Gloss→text: the pretraining of translation, and a task of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.text import TextVocabulary
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..mbart import MBart


@MODELS.register_module()
class GlossToText(BaseModel):
    """Translate gloss sentences by mBART: docs/method.md#translation.

    Its checkpoint is what ``MBartTranslationHead`` starts from.

    Args:
        vocab: The gloss vocabulary: see ``build_vocabulary``.
        mbart: Arguments of ``MBart``.
    """

    # Name of its output in the data samples and of its metrics.
    OUTPUT = 'gloss'

    def __init__(self, vocab: dict | GlossVocabulary, mbart: dict) -> None:
        super().__init__()
        self.vocab = build_vocabulary(vocab)
        self.mbart = MBart(glosses=self.vocab, **mbart)

    @property
    def text_vocabulary(self) -> TextVocabulary:
        """Of its sentences."""
        return self.mbart.text

    def text_vocabularies(self) -> dict[str, str]:
        """Fingerprint of the text vocabulary by output."""
        return {self.OUTPUT: self.mbart.text.fingerprint()}

    def required_state(self) -> dict[str, Tensor]:
        """The tensors a checkpoint must hold: all."""
        return self.state_dict()

    def forward(
        self,
        inputs: Mapping[str, Any],
        data_samples: list[SignDataSample],
        mode: str = 'tensor',
    ):
        """Run the network on the glosses of the data samples.

        Args:
            inputs: Not looked at: the glosses are in the data samples.
            data_samples: With ``glosses``; with ``text`` in modes ``loss`` and
                ``tensor``.
            mode: ``loss`` → ``loss_translation_gloss``; ``predict`` → the data
                samples with ``translations``; ``tensor`` → logits (B, U, V) of the
                tokens of the sentences.
        """
        source = self.mbart.embed_glosses([s.glosses for s in data_samples])
        if mode == 'predict':
            found = self.mbart.translate(*source)
            for sample, translation in zip(data_samples, found, strict=True):
                sample.translations = {self.OUTPUT: translation}
            return data_samples
        targets = self.mbart.targets(
            [s.text for s in data_samples], [s.clip_id for s in data_samples]
        )
        if mode == 'loss':
            return {
                f'loss_translation_{self.OUTPUT}': self.mbart.loss(*source, targets)
            }
        if mode == 'tensor':
            return self.mbart.logits(*source, targets)
        raise ConfigError(f"mode must be 'loss', 'predict' or 'tensor', not {mode!r}")
