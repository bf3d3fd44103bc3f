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
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmsign.errors import DataError, optional_import
from mmsign.files import replacing, write_text

from .languages import LANGUAGE_CODES, check_language

MODEL_FILE = 'sentencepiece.bpe.model'
MAP_FILE = 'text_vocabulary.json'
FORMAT = 'mmsign-text-vocabulary'
SPECIAL_TOKENS = ('<s>', '<pad>', '</s>', '<unk>')


def _processor(model: bytes, name: str):
    sentencepiece = optional_import('sentencepiece', 'translation')
    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(model)
        first = [processor.IdToPiece(i) for i in range(3)]
    except (RuntimeError, IndexError) as error:
        raise DataError(f'{name} is not a sentencepiece model') from error
    if first != ['<unk>', '<s>', '</s>']:
        raise DataError(
            f'{name}: the first three pieces are {first}; mBART numbers those of a '
            "model with ['<unk>', '<s>', '</s>'], sentencepiece's default"
        )
    return processor


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
        self._pieces = _processor(model, name)
        # Old ids: the specials and pieces, then languages, then <mask>.
        self._first_language = self._pieces.GetPieceSize() + 1
        self.full_size = self._first_language + len(LANGUAGE_CODES) + 1
        self.kept = None if kept is None else tuple(kept)
        self._new_of_old: dict[int, int] | None = None
        if kept is not None:
            self._check_kept()
            self._new_of_old = {old: new for new, old in enumerate(self.kept)}

    def _check_kept(self) -> None:
        ascending = all(a < b for a, b in zip(self.kept[:-1], self.kept[1:]))
        if self.kept[:4] != (0, 1, 2, 3) or not ascending:
            raise DataError(
                f'{self.name}: the kept ids must ascend and begin with those of '
                f'{", ".join(SPECIAL_TOKENS)}, found {list(self.kept[:6])}…'
            )
        if self.kept[-1] >= self.full_size:
            raise DataError(
                f'{self.name}: the kept ids go up to {self.kept[-1]}, but the '
                f'sentencepiece model gives {self.full_size} ids; the two files do '
                'not belong together'
            )

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
                f'no {model_file}: a text vocabulary is a folder with the '
                'sentencepiece model under this name, as mBART directories have it '
                'and tools/data/make_text_vocabulary.py and '
                'tools/convert/prune_mbart.py write it'
            )
        model = model_file.read_bytes()
        if not map_file.is_file():
            return cls(model, name=str(folder))
        try:
            content = json.loads(map_file.read_text(encoding='utf-8'))
            found = content['format'], content['version']
            kept, digest = content['kept'], content['sentencepiece_sha256']
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f'{map_file} is not a text vocabulary: {error!r}'
            ) from error
        if found != (FORMAT, 1):
            raise DataError(f'{map_file}: expected {FORMAT!r} version 1, found {found}')
        if digest != hashlib.sha256(model).hexdigest():
            raise DataError(
                f'{map_file} was written for another {MODEL_FILE} than the one '
                'beside it'
            )
        return cls(model, kept, name=str(folder))

    def save(self, folder: str | os.PathLike) -> None:
        """Write the sentencepiece model and the map old id ↔ new id."""
        with replacing(Path(folder, MODEL_FILE)) as file:
            file.write(self.model)
        content = dict(
            format=FORMAT,
            version=1,
            sentencepiece_sha256=hashlib.sha256(self.model).hexdigest(),
            size=len(self),
            kept=self.kept,
        )
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
        if self._new_of_old is None:
            return old
        return self._new_of_old.get(old, self.unk_id)

    def language_id(self, code: str) -> int:
        """Id of a language.

        Raises:
            ConfigError: If there is no such language.
            DataError: If pruning has removed it.
        """
        old = self._first_language + LANGUAGE_CODES.index(check_language(code))
        new = self._new(old)
        if new == self.unk_id:
            raise DataError(f'{self.name} was pruned without the language {code}')
        return new

    def _old_ids(self, text: str) -> list[int]:
        # Piece 0 is <unk>; <s> and </s> never come out of a text.
        return [
            piece + 1 if piece else self.unk_id for piece in self._pieces.Encode(text)
        ]

    def pieces(self, text: str) -> list[int]:
        """Token ids of any text (may be empty), without ``</s>``."""
        return [self._new(old) for old in self._old_ids(text)]

    def encode(self, text: str, clip_id: str) -> list[int]:
        """Token ids of a sentence, ``</s>`` included, no language.

        Args:
            text: The sentence. What the vocabulary cannot express becomes
                ``<unk>``; ``round_trip_loss`` tells.
            clip_id: Named in the error.

        Raises:
            DataError: If the sentence is empty.
        """
        ids = self.pieces(text)
        if not ids:
            raise DataError(
                f'clip {clip_id}: its sentence {text!r} is empty; give it one, or '
                'leave the clip out of the corpus'
            )
        return [*ids, self.eos_id]

    def decode(self, ids: Iterable[int]) -> str:
        """The sentence of token ids; special tokens and languages are left out.

        Raises:
            DataError: If an id is out of range.
        """
        pieces = []
        for new in ids:
            if not 0 <= new < len(self):
                raise DataError(f'id {new} is not in the vocabulary of {len(self)} ids')
            old = self.old_ids()[new]
            if old == self.unk_id:
                pieces.append(0)
            elif self.unk_id < old < self._first_language:
                pieces.append(old - 1)
        return self._pieces.Decode(pieces)

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
        return TextVocabulary(
            self.model, sorted(used & set(self.old_ids())), name=self.name
        )
