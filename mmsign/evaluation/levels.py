"""What a sentence is counted in: words or characters."""

from __future__ import annotations

from mmsign.errors import DataError

LEVELS = ('word', 'character')


def check_level(level: str) -> str:
    """Give ``level`` back.

    Raises:
        ValueError: it is not one of ``LEVELS``.
    """
    if level not in LEVELS:
        raise DataError(f'level is {level!r}, expected one of {", ".join(LEVELS)}')
    return level


def split_text(text: str, level: str) -> list[str]:
    """The tokens of a sentence: what white space separates, or every character
    that is not white space (the spaces of a Chinese text carry no meaning).

    Raises:
        ValueError: there is no such level.
    """
    words = text.split()
    return words if check_level(level) == 'word' else list(''.join(words))
