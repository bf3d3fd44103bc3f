"""Sentences as they are compared: in pairs, by word or by character."""

import unicodedata
from collections.abc import Hashable, Sequence

from mmsign.errors import ConfigError, DataError

Tokens = Sequence[Hashable]
Sentences = Sequence[Tokens]
LEVELS = ('word', 'character')


def split_text(text: str, level: str = 'word') -> list[str]:
    """The tokens of a sentence: what white space separates, or every character
    that is not white space (the spaces of a Chinese text carry no meaning). Unicode's
    forms of one letter are one.

    Raises:
        ConfigError: there is no such level.

    Examples:
        >>> split_text('im norden  regnet es .')
        ['im', 'norden', 'regnet', 'es', '.']
        >>> split_text('今天 下雨', level='character')
        ['今', '天', '下', '雨']
    """
    if level not in LEVELS:
        known = 'METAINFO and metrics know ' + ' and '.join(LEVELS)
        raise ConfigError(f'there is no level {level!r}: {known}')
    words = unicodedata.normalize('NFC', text).split()
    return words if level == 'word' else list(''.join(words))


def check_pairs(references: Sequence, hypotheses: Sequence) -> None:
    """Refuse what is not one hypothesis per reference.

    Raises:
        DataError: the numbers of sentences differ, or there are none.
    """
    if len(references) != len(hypotheses):
        counts = f'{len(references)} references, {len(hypotheses)} hypotheses'
        raise DataError(f'{counts}: expected as many, in the same order')
    if not len(references):
        raise DataError('there are no sentences to score')
