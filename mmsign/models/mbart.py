"""mBART behind a table of gloss embeddings: what every translator shares.

Symbols: B sentences, S encoder steps, U tokens of a sentence, D width of mBART, V
ids of the text vocabulary, K beams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmsign.compat import transformers_mbart
from mmsign.decoding.text_beam import average_next_tokens, text_beam_search
from mmsign.errors import ConfigError
from mmsign.files import read_lines, write_lines
from mmsign.registry import MODELS
from mmsign.structures import SignDataSample, TranslationPrediction
from mmsign.text import GlossTokens, TextVocabulary
from mmsign.text.languages import finish_sentence
from mmsign.vocab import GlossVocabulary

from .layers.sequence import length_mask

# In a folder that tools/convert/prune_mbart.py wrote.
TABLE_FILE = 'gloss_embedding.safetensors'
LIST_FILE = 'gloss_embedding.txt'


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
        FileNotFoundError, ConfigError, DataError: If folder, vocabulary and glosses
            do not fit together; the message says how.
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
        config |= dict(dropout=dropout, attention_dropout=attention_dropout)
        if folder is None:
            self.network = transformers_mbart.new_mbart(len(self.text), **config)
        else:
            size = transformers_mbart.read_mbart_config(folder).get('vocab_size')
            if size != len(self.text):
                raise ConfigError(
                    f'the mBART in {folder} has {size} ids, {self.text.name} '
                    f'{len(self.text)}: prune both with tools/convert/prune_mbart.py'
                )
            self.network = transformers_mbart.load_mbart(folder, **config)
        config, embedding = self.network.config, self.network.get_input_embeddings()
        self.scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self.gloss_embedding = nn.Embedding(len(self.glosses), config.d_model)
        nn.init.normal_(self.gloss_embedding.weight, std=config.init_std)
        if gloss_table:
            if folder is None:
                pieces = embedding.weight.detach(), self.text
                table = gloss_table_from_text(*pieces, self.glosses, language)
            else:
                table = load_gloss_table(Path(folder), self.glosses.symbols)
            self.gloss_embedding.weight.data.copy_(table)
        if frozen_embeddings:
            self.gloss_embedding.requires_grad_(False)
            embedding.requires_grad_(False)
        self.loss_function = MODELS.build(loss or dict(type='LabelSmoothingLoss'))

    def init_weights(self) -> None:
        """Nothing: the weights are there, and mBART would draw them anew."""
        self._is_init = True

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
        padded = F.pad(features, (0, 0, 0, 2))
        valid = length_mask(lengths, padded.shape[1])
        inputs = padded.masked_fill(~valid[..., None], 0)
        rows = torch.arange(len(lengths), device=lengths.device)[:, None]
        inputs[rows, torch.stack([lengths, lengths + 1], 1)] = end
        return inputs * self.scale, length_mask(lengths + 2, padded.shape[1]).long()

    def embed_glosses(
        self, sentences: Sequence[Sequence[str]]
    ) -> tuple[Tensor, Tensor]:
        """Glosses, ``</s>`` and the gloss language, all times √D.

        Returns:
            (B, S, D), zero after the end, and its mask (B, S).
        """
        rows = [torch.tensor(self.glosses.encode(glosses)) for glosses in sentences]
        ids = pad_sequence(rows, True, self.glosses.pad_id)
        ids = ids.to(self.gloss_embedding.weight.device)
        mask = ids != self.glosses.pad_id
        inputs = self.gloss_embedding(ids) * mask[..., None]
        return inputs * self.scale, mask.long()

    # Training -------------------------------------------------------------

    def targets(self, samples: Sequence[SignDataSample]) -> Tensor:
        """(B, U) ids of the sentences with ``</s>``, padded.

        Raises:
            DataError: Naming the clip, if a sentence is missing or empty.
        """
        rows = [torch.tensor(self.text.encode(s.text, s.clip_id)) for s in samples]
        padded = pad_sequence(rows, True, self.text.pad_id)
        return padded.to(self.gloss_embedding.weight.device)

    def logits(self, inputs: Tensor, mask: Tensor, targets: Tensor) -> Tensor:
        """Logits (B, U, V) of every target token, given those before it."""
        before = F.pad(targets[:, :-1], (1, 0), value=self.start_id)
        # `</s>` ends a sentence, nothing is predicted from it.
        before = before.masked_fill(before == self.text.eos_id, self.text.pad_id)
        return self.network(
            inputs_embeds=inputs, attention_mask=mask, decoder_input_ids=before
        ).logits

    def loss(
        self, inputs: Tensor, mask: Tensor, samples: Sequence[SignDataSample]
    ) -> Tensor:
        """Scalar: the smoothed loss of the samples' sentences, divided by B."""
        targets = self.targets(samples)
        logits = self.logits(inputs, mask, targets)
        return self.loss_function(logits, targets, self.text.pad_id)

    # Decoding -------------------------------------------------------------

    @torch.no_grad()
    def encode(self, inputs: Tensor, mask: Tensor) -> EncodedSource:
        """Run the encoder: what ``translate`` begins with."""
        states = self.network.get_encoder()(inputs_embeds=inputs, attention_mask=mask)
        return EncodedSource(self, states[0], mask)

    def sentence(self, ids: Sequence[int]) -> str:
        """The sentence of generated ids, written as the corpora write it."""
        return finish_sentence(self.text.decode(ids), self.language)


@dataclass(frozen=True)
class EncodedSource:
    """What the encoder of an mBART has made of a batch; can be translated repeatedly.

    Attributes:
        mbart: Whose.
        states: (B, S, D) outputs of the encoder.
        mask: (B, S), 1 where they are valid.
    """

    mbart: MBart
    states: Tensor
    mask: Tensor

    def next_tokens(self, beams: int) -> transformers_mbart.NextTokens:
        """Start a search of K beams over the decoder."""
        source = (x.repeat_interleave(beams, 0) for x in (self.states, self.mask))
        return transformers_mbart.NextTokens(self.mbart.network, *source)


def translate(sources: Sequence[EncodedSource]) -> list[TranslationPrediction]:
    """The best sentences by the average of the next-token probabilities (eq. 6).

    Width, length penalty and greatest length of the search are those of the first.

    Args:
        sources: Of one batch, by networks of one text vocabulary and language.
    """
    mbart, mask = sources[0].mbart, sources[0].mask
    found = text_beam_search(
        average_next_tokens([one.next_tokens(mbart.beam_width) for one in sources]),
        len(mask),
        mbart.start_id,
        mbart.text.eos_id,
        beam_width=mbart.beam_width,
        length_penalty=mbart.length_penalty,
        max_length=mbart.max_length,
        device=mask.device,
    )
    n_best = [
        tuple((mbart.sentence(h.ids), h.score) for h in hypotheses)
        for hypotheses in found
    ]
    return [TranslationPrediction(*best[0], n_best=best) for best in n_best]


def gloss_table_from_text(
    embeddings: Tensor, vocabulary: TextVocabulary, glosses: GlossTokens, language: str
) -> Tensor:
    """(rows, D): the mean of the embeddings of the pieces of each lower-cased gloss.

    A gloss that is spelt like a word of the sentences begins as that word, which a
    network learns to copy, however rare the gloss is.

    Args:
        embeddings: (V, D) of the text.
        vocabulary: Of the text.
        glosses: The rows.
        language: Its embedding is that of the gloss language's row.
    """
    pieces = [vocabulary.pieces(symbol.lower()) for symbol in glosses.symbols]
    rows = [embeddings[ids or [vocabulary.unk_id]].mean(0) for ids in pieces]
    table = torch.stack(rows)
    table[:4] = embeddings[:4]
    table[glosses.language_id] = embeddings[vocabulary.language_id(language)]
    return table


def save_gloss_table(folder: Path, table: Tensor, glosses: GlossTokens) -> None:
    """Write the embeddings (rows, D) and the names of the rows."""
    save_file(dict(weight=table.contiguous()), folder / TABLE_FILE)
    write_lines(folder / LIST_FILE, glosses.symbols)


def load_gloss_table(folder: Path, symbols: Sequence[str]) -> Tensor:
    """(rows, D): what ``save_gloss_table`` wrote, in the order of ``symbols``.

    Raises:
        FileNotFoundError: If the folder has no such table.
        ConfigError: If a symbol has no row.
    """
    table, names = folder / TABLE_FILE, folder / LIST_FILE
    if not table.is_file() or not names.is_file():
        raise FileNotFoundError(
            f'no {table} with {names.name}: prepare the directory with tools/convert/'
            'prune_mbart.py, or set gloss_table=False for random gloss embeddings'
        )
    rows = {symbol: row for row, symbol in enumerate(read_lines(names))}
    if missing := [symbol for symbol in symbols if symbol not in rows]:
        raise ConfigError(
            f'{table} has no embedding for {len(missing)} glosses of the vocabulary '
            f'(first: {missing[:5]}); prepare it for this corpus'
        )
    return load_file(table)['weight'][[rows[symbol] for symbol in symbols]]
