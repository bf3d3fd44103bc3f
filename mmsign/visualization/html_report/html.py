"""Small pieces of HTML; whatever comes from files is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mmsign.evaluation.wer import Pair

from ..alignment import operation


class Html(str):
    """Markup, not to be escaped again."""


def text(value: object) -> Html:
    """``value`` as markup: escaped unless it is markup already."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element. ``class_`` stands for ``class``, ``_`` in names for ``-``; an
    attribute that is None is left out."""
    written = ''.join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f'<{name}{written}>{"".join(map(text, children))}</{name}>')


def table(
    header: Sequence[object], rows: Iterable[Sequence[object]], caption: str
) -> Html:
    """A table that scrolls by itself when the page is narrow; the first cell of each
    row is its heading."""
    head = tag('tr', *(tag('th', cell, scope='col') for cell in header))
    body = [
        tag('tr', tag('th', row[0], scope='row'), *(tag('td', c) for c in row[1:]))
        for row in rows
    ]
    return tag(
        'div',
        tag('table', tag('caption', caption), tag('thead', head), tag('tbody', *body)),
        class_='wide',
        tabindex=0,
        role='region',
        aria_label=caption,
    )


def bar(percent: float) -> Html:
    """A number in percent with a bar behind it."""
    length = max(0.0, min(100.0, percent))
    return tag('span', f'{percent:.1f}', class_='bar', style=f'--part:{length:.1f}%')


def strip(label: str, pairs: Sequence[Pair]) -> Html:
    """An alignment: a column per pair, reference above, hypothesis below."""
    columns = []
    for pair in pairs:
        letter = operation(pair)
        cells = [
            tag('span', word) if word is not None else tag('span', '–', class_='none')
            for word in pair
        ]
        mark = tag('abbr', letter, title=_NAMES[letter]) if letter != 'C' else ''
        columns.append(tag('span', *cells, mark, class_=f'pair {letter}'))
    return tag(
        'div',
        tag('span', label, class_='label'),
        tag('span', *(columns or ['no glosses']), class_='pairs'),
        class_='strip',
    )


_NAMES = {'S': 'substituted', 'D': 'deleted', 'I': 'inserted'}
