"""Rows of the gloss embedding table, the "source language" of translation."""

from collections.abc import Iterable

from mmsign.errors import DataError
from mmsign.vocab import GlossVocabulary

from .vocabulary import SPECIAL_TOKENS

# Name of the row that says "what comes is a sentence of glosses".
LANGUAGE_ROW = '<gloss>'


class GlossTokens:
    """Glosses ↔ rows: ``<s> <pad> </s> <unk>``, every gloss, the gloss language.

    Args:
        vocab: The glosses; the recognizer's blank has no row.

    Raises:
        DataError: If a gloss has the name of another row.

    Examples:
        >>> tokens = GlossTokens(GlossVocabulary(['RAIN', 'SUN']))
        >>> tokens.encode(['SUN', 'HAIL'])  # SUN, <unk>, </s>, gloss language
        [5, 3, 2, 6]
    """

    bos_id, pad_id, eos_id, unk_id = range(4)

    def __init__(self, vocab: GlossVocabulary) -> None:
        self.symbols: tuple[str, ...] = (*SPECIAL_TOKENS, *vocab.glosses, LANGUAGE_ROW)
        self._rows = {symbol: row for row, symbol in enumerate(self.symbols)}
        if len(self._rows) != len(self.symbols):
            reserved = {*SPECIAL_TOKENS, LANGUAGE_ROW} & set(vocab.glosses)
            raise DataError(f'the gloss table needs {sorted(reserved)} for itself')
        self.language_id = self._rows[LANGUAGE_ROW]
        for alias, gloss in vocab.aliases.items():
            self._rows[alias] = self._rows[gloss]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.symbols)

    def encode(self, glosses: Iterable[str]) -> list[int]:
        """Rows of a gloss sentence, then ``</s>`` and the gloss language.

        A gloss without a row becomes ``<unk>``; ``unknown`` tells which.
        """
        rows = [self._rows.get(gloss, self.unk_id) for gloss in glosses]
        return [*rows, self.eos_id, self.language_id]

    def unknown(self, glosses: Iterable[str]) -> list[str]:
        """The glosses that have no row."""
        return [gloss for gloss in glosses if gloss not in self._rows]
