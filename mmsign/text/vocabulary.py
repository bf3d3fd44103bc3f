"""mBART's text vocabulary, whole or pruned to a corpus.

Symbols: P pieces of the sentencepiece model, V ids of the vocabulary.

mBART numbers ``<s>`` 0, ``<pad>`` 1, ``</s>`` 2, ``<unk>`` 3, then every
sentencepiece piece p ≥ 3 as p + 1, then the 25 language codes and ``<mask>``: V =
P + 27. A pruned vocabulary keeps some of these *old* ids and numbers them anew in
the same order. ``sentencepiece`` is used directly: tokenizer classes differ
between versions of transformers, and some map nearly everything to ``<unk>``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmsign.errors import ConfigError, DataError, explain, optional_import
from mmsign.files import read_json, replacing, write_text

from .languages import LANGUAGE_CODES

MODEL_FILE = 'sentencepiece.bpe.model'
MAP_FILE = 'text_vocabulary.json'
FORMAT = 'mmsign-text-vocabulary'
SPECIAL_TOKENS = ('<s>', '<pad>', '</s>', '<unk>')
# Module and the extra that brings it.
_SENTENCEPIECE = 'sentencepiece', 'translation'


def train_sentencepiece(texts: Sequence[str], size: int) -> bytes:
    """Train a model whose pieces can express every one of ``texts``.

    For networks without pretraining.

    Args:
        texts: Sentences. The same sentences give the same model.
        size: Number of pieces wanted; a small corpus gets fewer.

    Returns:
        The serialised model.

    Raises:
        DataError: If ``size`` is too small for the letters of the texts, or
            there are no texts.

    Examples:
        >>> model = train_sentencepiece(['am tag regnet es .', 'es schneit .'], 40)
        >>> isinstance(model, bytes)
        True
    """
    trainer = optional_import(*_SENTENCEPIECE).SentencePieceTrainer
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise DataError('no sentences to train a sentencepiece model on')
    buffer = io.BytesIO()
    text = f'no sentencepiece model of {size} pieces for {len(texts)} sentences'
    with explain(DataError, text, RuntimeError):
        trainer.Train(
            sentence_iterator=iter(texts),
            model_writer=buffer,
            vocab_size=size,
            # Small corpora: its pieces are whole words sooner than unigram's.
            model_type='bpe',
            # Letters that would be rewritten or left out would be lost.
            normalization_rule_name='identity',
            character_coverage=1.0,
            hard_vocab_limit=False,
            max_sentence_length=1 << 20,
            num_threads=1,
            minloglevel=2,
        )
    return buffer.getvalue()


def _header(model: bytes) -> dict[str, str | int]:
    digest = hashlib.sha256(model).hexdigest()
    return dict(format=FORMAT, version=1, sentencepiece_sha256=digest)


class TextVocabulary:
    """Sentences ↔ token ids of mBART, or of an mBART pruned to a corpus.

    Args:
        model: A serialised sentencepiece model.
        kept: Old ids that are kept, ascending; None for all. The position of an
            id in this list is its new id.
        name: Where the model comes from, for errors.

    Raises:
        DataError: If ``model`` is no sentencepiece model, or ``kept``
            lacks a special token or is not a list of old ids.

    Examples:
        >>> from mmsign.text import train_sentencepiece
        >>> texts = ['am tag regnet es .', 'im norden schneit es .']
        >>> whole = TextVocabulary(train_sentencepiece(texts, 60))
        >>> ids = whole.encode('im norden regnet es .', clip_id='dev-1')
        >>> ids[-1] == whole.eos_id, whole.decode(ids)
        (True, 'im norden regnet es .')
        >>> pruned = whole.prune(texts[:1])
        >>> len(pruned) < len(whole), pruned.round_trip_loss(texts[0])
        (True, None)
    """

    bos_id, pad_id, eos_id, unk_id = range(4)

    def __init__(
        self,
        model: bytes,
        kept: Sequence[int] | None = None,
        name: str = 'sentencepiece model',
    ) -> None:
        self.model = model
        self.name = name
        self._pieces = optional_import(*_SENTENCEPIECE).SentencePieceProcessor()
        text = f'{name} is not a sentencepiece model'
        with explain(DataError, text, RuntimeError, IndexError):
            self._pieces.LoadFromSerializedProto(model)
            first = [self._pieces.IdToPiece(i) for i in range(3)]
        if first != ['<unk>', '<s>', '</s>']:
            expected = "['<unk>', '<s>', '</s>'], sentencepiece's default"
            raise DataError(f'{name}: the pieces begin {first}, expected {expected}')
        # Old ids: the specials and pieces, then languages, then <mask>.
        self._first_language = self._pieces.GetPieceSize() + 1
        self.full_size = self._first_language + len(LANGUAGE_CODES) + 1
        self.kept = self._new_of_old = None
        if kept is not None:
            self.kept = kept = tuple(kept)
            ascends = kept[:4] == (0, 1, 2, 3) and kept == tuple(sorted(set(kept)))
            if not ascends or kept[-1] >= self.full_size:
                raise DataError(
                    f'{name}: kept ids must ascend from 0, 1, 2, 3, below '
                    f'{self.full_size}; found {kept[:6]} to {kept[-1:]}'
                )
            self._new_of_old = {old: new for new, old in enumerate(kept)}

    # Files ----------------------------------------------------------------

    @classmethod
    def from_folder(cls, folder: str | os.PathLike) -> TextVocabulary:
        """Read what ``save`` wrote, or the vocabulary of an mBART directory.

        Raises:
            FileNotFoundError: If the folder or its sentencepiece model is missing.
            DataError: If the files are broken.
        """
        folder = Path(folder)
        model_file, map_file = folder / MODEL_FILE, folder / MAP_FILE
        if not model_file.is_file():
            raise FileNotFoundError(
                f'no {model_file}: expected an mBART directory, or the folder that '
                'make_text_vocabulary.py or prune_mbart.py wrote'
            )
        model = model_file.read_bytes()
        if not map_file.is_file():
            return cls(model, name=str(folder))
        match read_json(map_file):
            case {'kept': list() | None as kept, **header} if (
                _header(model).items() <= header.items()
            ):
                return cls(model, kept, name=str(folder))
        raise DataError(
            f'{map_file} is no {FORMAT} of version 1 for the {MODEL_FILE} beside it'
        )

    def save(self, folder: str | os.PathLike) -> None:
        """Write the sentencepiece model and the map old id ↔ new id."""
        with replacing(Path(folder, MODEL_FILE)) as file:
            file.write(self.model)
        content = _header(self.model) | dict(size=len(self), kept=self.kept)
        write_text(Path(folder, MAP_FILE), json.dumps(content) + '\n')

    # Ids ------------------------------------------------------------------

    def __len__(self) -> int:
        """V."""
        return self.full_size if self.kept is None else len(self.kept)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TextVocabulary):
            return NotImplemented
        return self.fingerprint() == other.fingerprint()

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def fingerprint(self) -> str:
        """A digest that two vocabularies share only if all their ids agree."""
        digest = hashlib.sha256(self.model)
        digest.update(json.dumps(self.kept).encode())
        return f'{len(self)}:{digest.hexdigest()[:32]}'

    def old_ids(self) -> Sequence[int]:
        """The old id of every new id: what weights are selected with."""
        return range(self.full_size) if self.kept is None else self.kept

    def _new(self, old: int) -> int:
        table = self._new_of_old
        return old if table is None else table.get(old, self.unk_id)

    def language_id(self, code: str) -> int:
        """Id of a language.

        Raises:
            ConfigError: If there is no such language.
            DataError: If pruning has removed it.
        """
        if code not in LANGUAGE_CODES:
            known = ', '.join(LANGUAGE_CODES)
            raise ConfigError(f'unknown language code {code!r}; mBART knows {known}')
        new = self._new(self._first_language + LANGUAGE_CODES.index(code))
        if new == self.unk_id:
            raise DataError(f'{self.name} was pruned without the language {code}')
        return new

    def _old_ids(self, text: str) -> list[int]:
        # Piece 0 is <unk>; <s> and </s> never come out of a text.
        pieces = self._pieces.Encode(text)
        return [piece + 1 if piece else self.unk_id for piece in pieces]

    def pieces(self, text: str) -> list[int]:
        """Token ids of any text (may be empty), without ``</s>``."""
        return [self._new(old) for old in self._old_ids(text)]

    def encode(self, text: str | None, clip_id: str) -> list[int]:
        """Token ids of a sentence, ``</s>`` included, no language.

        Args:
            text: The sentence. What the vocabulary cannot express becomes
                ``<unk>``; ``round_trip_loss`` tells.
            clip_id: Named in the error.

        Raises:
            DataError: If the sentence is empty, or None.
        """
        ids = self.pieces(text or '')
        if not ids:
            raise DataError(
                f'clip {clip_id} has no sentence, but {text!r}: add one, or leave the '
                'clip out (Phoenix-2014 has no sentences at all)'
            )
        return [*ids, self.eos_id]

    def decode(self, ids: Iterable[int]) -> str:
        """The sentence of token ids; special tokens and languages are left out.

        Raises:
            DataError: If an id is out of range.
        """
        ids, old_ids = list(ids), self.old_ids()
        if odd := [new for new in ids if not 0 <= new < len(self)]:
            raise DataError(f'id {odd[0]} is not in the vocabulary of {len(self)} ids')
        text = range(self.unk_id, self._first_language)
        found = [old_ids[new] for new in ids if old_ids[new] in text]
        return self._pieces.Decode([0 if i == self.unk_id else i - 1 for i in found])

    def round_trip_loss(self, text: str) -> str | None:
        """What ``decode`` makes of ``encode``, if it is not ``text``; else None.

        Runs of white space count as one space.
        """
        returned = self.decode(self.pieces(text))
        return None if returned.split() == text.split() else returned

    def prune(self, texts: Iterable[str]) -> TextVocabulary:
        """Keep the special tokens, the languages and the pieces in ``texts``."""
        used = set(range(4)) | set(range(self._first_language, self.full_size))
        for text in texts:
            used.update(self._old_ids(text))
        kept = sorted(used.intersection(self.old_ids()))
        return TextVocabulary(self.model, kept, name=self.name)
