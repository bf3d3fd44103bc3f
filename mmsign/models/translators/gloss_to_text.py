"""Gloss→text: the pretraining of translation, and a task of its own."""

from collections.abc import Mapping
from typing import Any

from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary, build_vocabulary

from ..mbart import MBart
from .translator import Translator


@MODELS.register_module()
class GlossToText(Translator):
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
    def mbarts(self) -> dict[str, MBart]:
        """The only one."""
        return {self.OUTPUT: self.mbart}

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
            encoded = {self.OUTPUT: self.mbart.encode(*source)}
            return self.write_sentences(data_samples, encoded, ensemble=False)
        if mode == 'loss':
            loss = self.mbart.loss(*source, data_samples)
            return {f'loss_translation_{self.OUTPUT}': loss}
        if mode == 'tensor':
            return self.mbart.logits(*source, self.mbart.targets(data_samples))
        raise ConfigError(f"mode must be 'loss', 'predict' or 'tensor', not {mode!r}")
