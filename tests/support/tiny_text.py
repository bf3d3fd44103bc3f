"""Sentences and the text vocabulary that the tests of translation share."""

from __future__ import annotations

import functools

from mmsign.text import TextVocabulary, train_sentencepiece

TEXTS = (
    'viel regen gibt es morgen im norden .',
    'kräftig wind gibt es heute im süden .',
    'sonne gibt es am montag in den alpen .',
    'schnee und nebel in der nacht .',
)


@functools.lru_cache(maxsize=1)
def tiny_text_vocabulary() -> TextVocabulary:
    """The whole vocabulary of a small model; made once."""
    return TextVocabulary(train_sentencepiece(TEXTS, 80))
