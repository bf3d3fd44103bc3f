"""Alignments of sentences for the terminal.

A sentence is shown in columns, reference above, hypothesis below, with a letter under
every error: S, D or I. Colour says the same again, for those who see it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from mmsign.evaluation.wer import Confusions, Pair, most_common, operation

MISSING = '***'
"""Stands for the word that one side has not."""

_COLOURS = {'S': '33', 'D': '31', 'I': '36'}
_MARGIN = 5


def wants_colour(stream: TextIO) -> bool:
    """Whether ``stream`` shows colour: a terminal, and NO_COLOR is not set."""
    return stream.isatty() and not os.environ.get('NO_COLOR')


def display_width(text: str) -> int:
    """Columns of a terminal that ``text`` takes: two for each wide character."""
    return sum(
        0
        if unicodedata.combining(character)
        else 1 + (unicodedata.east_asian_width(character) in 'WF')
        for character in text
    )


def render_alignment(
    pairs: Sequence[Pair], width: int = 100, colour: bool = False
) -> str:
    """A sentence as blocks of three lines, no wider than ``width`` columns.

    Args:
        pairs: As ``align_words`` gives them.
        width: Columns of the terminal; a longer word has a block of its own.
        colour: Colour the words that are wrong.

    Examples:
        >>> from mmsign.evaluation import align_words
        >>> pairs = align_words(['MORGEN', 'REGEN'], ['REGEN', 'NORD'])
        >>> print(render_alignment(pairs))
        REF  MORGEN REGEN ***
        HYP  ***    REGEN NORD
             D            I
    """
    blocks: list[list[list[str]]] = [[]]
    used = _MARGIN
    for pair in pairs:
        cells, column = _column(pair, colour)
        if blocks[-1] and used + column > width:
            blocks.append([])
            used = _MARGIN
        blocks[-1].append(cells)
        used += column + 1
    lines = [
        f'{title:{_MARGIN}}{"".join(cells)}'.rstrip()
        for block in blocks
        for title, *cells in zip(('REF', 'HYP', ''), *block)
    ]
    return '\n'.join(filter(None, lines))


def render_confusions(confusions: Confusions, limit: int = 10) -> str:
    """The most frequent substitutions, deletions and insertions, a line each."""
    lines = []
    for title, counts in (
        ('substituted', confusions.substitutions),
        ('deleted', confusions.deletions),
        ('inserted', confusions.insertions),
    ):
        lines.append(f'{title}: {sum(counts.values())}')
        for key, count in most_common(counts, limit):
            words = key if isinstance(key, str) else ' -> '.join(key)
            lines.append(f'{count:6}  {_printable(words)}')
    return '\n'.join(lines)


def _column(pair: Pair, colour: bool) -> tuple[list[str], int]:
    """Both words and the letter of an error, padded; and their width."""
    letter = operation(pair)
    cells = [*(_printable(word or MISSING) for word in pair), letter.strip('C')]
    width = max(map(display_width, cells))
    padding = [' ' * (width - display_width(cell) + 1) for cell in cells]
    if colour and letter != 'C':
        cells = [f'\033[{_COLOURS[letter]}m{cell}\033[0m' for cell in cells]
    return [cell + space for cell, space in zip(cells, padding)], width


def _printable(word: str) -> str:
    # What a file holds must not steer the terminal.
    # Joiners are not to be seen, but belong to words of some languages.
    return ''.join(
        c if c.isprintable() or c in '\u200c\u200d' else '\ufffd' for c in word
    )
