"""Alignments of sentences for the terminal.

A sentence is shown in columns, reference above, hypothesis below, with a letter under
every error: S, D or I. Colour says the same again, for those who see it.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO
from unicodedata import combining, east_asian_width

from mmsign.evaluation.wer import Pair, most_common, operation

MISSING = '***'
"""Stands for the word that one side has not."""

_COLOURS = {'S': '33', 'D': '31', 'I': '36'}
_MARGIN = 5


def wants_colour(stream: TextIO) -> bool:
    """Whether ``stream`` shows colour: a terminal, and NO_COLOR is not set."""
    return stream.isatty() and not os.environ.get('NO_COLOR')


def display_width(text: str) -> int:
    """Columns of a terminal that ``text`` takes: two for each wide character."""
    shown = (character for character in text if not combining(character))
    return sum(1 + (east_asian_width(character) in 'WF') for character in shown)


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
    for cells, column in (_column(pair, colour) for pair in pairs):
        if blocks[-1] and used + column > width:
            blocks.append([])
            used = _MARGIN
        blocks[-1].append(cells)
        used += column + 1
    rows = (row for block in blocks for row in zip(('REF', 'HYP', ''), *block))
    lines = [f'{title:{_MARGIN}}{"".join(cells)}'.rstrip() for title, *cells in rows]
    return '\n'.join(filter(None, lines))


def render_confusions(confusions: Mapping[str, Counter], limit: int = 10) -> str:
    """The most frequent of what ``count_confusions`` gives, a line each."""
    lines = []
    for kind, counts in confusions.items():
        lines.append(f'{kind}: {counts.total()}')
        for pair, count in most_common(counts, limit):
            words = ' -> '.join(filter(None, pair))
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
    safe = '\u200c\u200d'
    return ''.join(c if c.isprintable() or c in safe else '\ufffd' for c in word)
