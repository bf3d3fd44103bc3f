"""mBART behind a table of gloss embeddings: what every translator shares.

Symbols: B sentences, S encoder steps, U tokens of a sentence, D width of mBART, V
ids of the text vocabulary, K beams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from mmsign.compat import transformers_mbart
from mmsign.decoding.text_beam import average_next_tokens, text_beam_search
from mmsign.errors import ConfigError
from mmsign.registry import MODELS
from mmsign.structures import TranslationPrediction
from mmsign.text import GlossTokens, TextVocabulary
from mmsign.text.languages import finish_sentence
from mmsign.vocab import GlossVocabulary

from .gloss_table import gloss_table_from_text, load_gloss_table
from .layers.lengths import length_mask


class MBart(BaseModule):
    """mBART, its text vocabulary and the embeddings of its source "language".

    Args:
        glosses: The gloss vocabulary; supplied by the model around it.
        language: Of the sentences, as mBART-cc25 calls it: ``de_DE``, ``zh_CN``, ….
        folder: Directory of a pretrained mBART, whole or pruned; None makes one
            with random weights from ``config``.
        vocabulary: The text vocabulary, or its folder; None takes ``folder``.
        gloss_table: Start from the gloss embeddings in ``folder``, as
            ``prune_mbart.py`` writes them; without a folder, from the embeddings of
            the text pieces that spell the gloss. False gives random ones.
        frozen_embeddings: Do not train the embeddings of glosses and text.
        loss: Config of the loss.
        beam_width, length_penalty, max_length: Of the search. Scores are divided by
            length^length_penalty; max_length counts tokens, the language included.
        dropout, attention_dropout: Probabilities inside mBART.
        **config: Further fields of transformers' ``MBartConfig``.

    Raises:
        FileNotFoundError, ValueError: If folder, vocabulary and glosses do not fit
            together; the message says how.
    """

    def __init__(
        self,
        glosses: GlossVocabulary,
        language: str,
        folder: str | None = None,
        vocabulary: str | TextVocabulary | None = None,
        gloss_table: bool = True,
        frozen_embeddings: bool = False,
        loss: dict | None = None,
        beam_width: int = 5,
        length_penalty: float = 1.0,
        max_length: int = 100,
        dropout: float = 0.3,
        attention_dropout: float = 0.1,
        **config,
    ) -> None:
        super().__init__()
        if folder is None and vocabulary is None:
            raise ConfigError(
                'mbart names neither folder, a pretrained mBART, nor vocabulary, the '
                'folder of a text vocabulary to make a new one with'
            )
        self.language = language
        self.beam_width = beam_width
        self.length_penalty = length_penalty
        self.max_length = max_length
        if not isinstance(vocabulary, TextVocabulary):
            vocabulary = TextVocabulary.from_folder(vocabulary or folder)
        self.text = vocabulary
        self.start_id = self.text.language_id(language)
        self.glosses = GlossTokens(glosses)
        config = config | dict(dropout=dropout, attention_dropout=attention_dropout)
        if folder is None:
            self.network = transformers_mbart.new_mbart(len(self.text), **config)
        else:
            _check_size(folder, self.text)
            self.network = transformers_mbart.load_mbart(folder, **config)
        width = self.network.config.d_model
        self.scale = math.sqrt(width) if self.network.config.scale_embedding else 1.0
        self.gloss_embedding = nn.Embedding(len(self.glosses), width)
        nn.init.normal_(self.gloss_embedding.weight, std=self.network.config.init_std)
        if gloss_table:
            with torch.no_grad():
                self.gloss_embedding.weight.copy_(self._first_gloss_table(folder))
        if frozen_embeddings:
            self.gloss_embedding.requires_grad_(False)
            self.network.get_input_embeddings().requires_grad_(False)
        self.loss_function = MODELS.build(loss or dict(type='LabelSmoothingLoss'))

    @property
    def width(self) -> int:
        """D."""
        return self.gloss_embedding.embedding_dim

    def init_weights(self) -> None:
        """Nothing: the weights are there, and mBART would draw them anew."""
        self._is_init = True

    def _first_gloss_table(self, folder: str | None) -> Tensor:
        if folder is not None:
            return load_gloss_table(Path(folder), self.glosses.symbols)
        return gloss_table_from_text(
            self.network.get_input_embeddings().weight.detach(),
            self.text,
            self.glosses,
            self.language,
        )

    # Encoder inputs -------------------------------------------------------

    def embed_features(
        self, features: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mapped features, then ``</s>`` and the gloss language, all times √D.

        Args:
            features: (B, T, D).
            lengths: (B,) valid steps.

        Returns:
            (B, T + 2, D), zero after the end, and its mask (B, T + 2).
        """
        ending = [self.glosses.eos_id, self.glosses.language_id]
        end = self.gloss_embedding.weight[ending].to(features.dtype)
        steps = torch.arange(features.shape[1] + 2, device=features.device)
        after = steps - lengths[:, None]
        inputs = nn.functional.pad(features, (0, 0, 0, 2))
        inputs = inputs.masked_fill((after >= 0)[..., None], 0)
        for offset in range(2):
            inputs = torch.where((after == offset)[..., None], end[offset], inputs)
        return inputs * self.scale, (after < 2).long()

    def embed_glosses(
        self, sentences: Sequence[Sequence[str]]
    ) -> tuple[Tensor, Tensor]:
        """Glosses, ``</s>`` and the gloss language, all times √D.

        Returns:
            (B, S, D), zero after the end, and its mask (B, S).
        """
        device = self.gloss_embedding.weight.device
        rows = [torch.tensor(self.glosses.encode(glosses)) for glosses in sentences]
        lengths = torch.tensor([len(row) for row in rows], device=device)
        padded = pad_sequence(rows, True, self.glosses.pad_id).to(device)
        mask = length_mask(lengths, padded.shape[1])
        inputs = self.gloss_embedding(padded) * mask[..., None]
        return inputs * self.scale, mask.long()

    # Training -------------------------------------------------------------

    def targets(self, texts: Sequence[str | None], clip_ids: Sequence[str]) -> Tensor:
        """(B, U) ids of the sentences with ``</s>``, padded.

        Raises:
            ValueError: Naming the clip, if a sentence is missing or empty.
        """
        rows = []
        for text, clip_id in zip(texts, clip_ids, strict=True):
            if text is None:
                raise ConfigError(
                    f'clip {clip_id} has no sentence; translation needs a corpus '
                    'with sentences, such as Phoenix-2014T or CSL-Daily'
                )
            rows.append(torch.tensor(self.text.encode(text, clip_id)))
        padded = pad_sequence(rows, True, self.text.pad_id)
        return padded.to(self.gloss_embedding.weight.device)

    def logits(self, inputs: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Logits (B, U, V) of every target token, given those before it."""
        start = torch.full_like(targets[:, :1], self.start_id)
        before = torch.cat([start, targets[:, :-1]], dim=1)
        # `</s>` ends a sentence, nothing is predicted from it.
        before = before.masked_fill(before == self.text.eos_id, self.text.pad_id)
        return self.network(
            inputs_embeds=inputs, attention_mask=mask, decoder_input_ids=before
        ).logits

    def loss(self, inputs: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Scalar: the smoothed loss of the target tokens, divided by B."""
        return self.loss_function(
            self.logits(inputs, mask, targets), targets, self.text.pad_id
        )

    # Decoding -------------------------------------------------------------

    @torch.no_grad()
    def translate(self, inputs: Tensor, mask: Tensor) -> list[TranslationPrediction]:
        """The best sentences for each encoder input."""
        return self.search([self.next_tokens(inputs, mask, self.beam_width)])

    def search(self, networks: Sequence[NextTokens]) -> list[TranslationPrediction]:
        """The best sentences by the average of the networks' next-token probabilities.

        Args:
            networks: From ``next_tokens`` with this network's ``beam_width``, of this
                network and others of the same text vocabulary and language.
        """
        mask = networks[0].mask
        found = text_beam_search(
            average_next_tokens(networks),
            len(mask) // self.beam_width,
            self.start_id,
            self.text.eos_id,
            beam_width=self.beam_width,
            length_penalty=self.length_penalty,
            max_length=self.max_length,
            device=mask.device,
        )
        n_best = [
            tuple((self.sentence(h.ids), h.score) for h in hypotheses)
            for hypotheses in found
        ]
        return [TranslationPrediction(*best[0], n_best=best) for best in n_best]

    def sentence(self, ids: Sequence[int]) -> str:
        """The sentence of generated ids, written as the corpora write it."""
        return finish_sentence(self.text.decode(ids), self.language)

    @torch.no_grad()
    def next_tokens(self, inputs: Tensor, mask: Tensor, beams: int) -> NextTokens:
        """Start a search over this network: see ``decoding.text_beam``."""
        states = self.network.get_encoder()(inputs_embeds=inputs, attention_mask=mask)
        return NextTokens(
            self.network,
            states[0].repeat_interleave(beams, 0),
            mask.repeat_interleave(beams, 0),
        )


class NextTokens:
    """A running search's view of an mBART: the next token of B·K beams.

    Args:
        network: transformers' mBART.
        states: (B·K, S, D) encoder outputs.
        mask: (B·K, S).
    """

    def __init__(self, network: nn.Module, states: Tensor, mask: Tensor) -> None:
        self.network = network
        self.states = states
        self.mask = mask
        self.cache = None

    @torch.no_grad()
    def __call__(self, tokens: Tensor, order: Tensor | None) -> Tensor:
        """Log-probabilities (B·K, V) of what follows ``tokens`` (B·K,).

        Args:
            tokens: The last token of each beam.
            order: (B·K,) the beam of the previous call that each one continues;
                None at the first call.
        """
        if order is not None:
            self.cache = transformers_mbart.reorder_cache(self.cache, order)
        hidden, self.cache = transformers_mbart.decode_step(
            self.network.get_decoder(), tokens, self.states, self.mask, self.cache
        )
        logits = self.network.lm_head(hidden) + self.network.final_logits_bias
        return logits.float().log_softmax(-1)


def _check_size(folder: str, text: TextVocabulary) -> None:
    size = transformers_mbart.read_mbart_config(folder).get('vocab_size')
    if size != len(text):
        raise ConfigError(
            f'the mBART in {folder} has {size} ids, the text vocabulary {text.name} '
            f'{len(text)}: they do not belong together. Prune both at once with '
            'tools/convert/prune_mbart.py'
        )
