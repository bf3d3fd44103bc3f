"""Sentences of the toy language, and what they say in German.

A sentence is signed as (when) (where) what (how), the topic first, and spoken in
another order: "viel regen gibt es morgen im norden .".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmsign.errors import ConfigError

WHEN = {
    'HEUTE': 'heute',
    'MORGEN': 'morgen',
    'NACHT': 'in der nacht',
    'MONTAG': 'am montag',
    'FREITAG': 'am freitag',
}
WHERE = {
    'NORD': 'im norden',
    'SUED': 'im süden',
    'OST': 'im osten',
    'WEST': 'im westen',
    'ALPEN': 'in den alpen',
    'STADT': 'in der stadt',
}
WHAT = {
    'REGEN': 'regen',
    'SCHNEE': 'schnee',
    'SONNE': 'sonne',
    'WOLKE': 'wolken',
    'WIND': 'wind',
    'STURM': 'sturm',
    'NEBEL': 'nebel',
    'GEWITTER': 'gewitter',
}
HOW = {
    'STARK': 'kräftig',
    'SCHWACH': 'schwach',
    'VIEL': 'viel',
    'WENIG': 'wenig',
    'MOEGLICH': 'vielleicht',
}
SLOTS = {'when': WHEN, 'where': WHERE, 'what': WHAT, 'how': HOW}

# Slots of a sentence in signing order, from two to five glosses.
PATTERNS = (
    ('when', 'what'),
    ('where', 'what'),
    ('what', 'how'),
    ('when', 'where', 'what'),
    ('when', 'what', 'how'),
    ('where', 'what', 'how'),
    ('when', 'where', 'what', 'how'),
    ('when', 'where', 'what', 'what'),
    ('when', 'where', 'what', 'what', 'how'),
)


def make_sentences(count: int, rng: np.random.Generator) -> list[list[str]]:
    """Draw sentences in which all glosses of a slot are equally frequent.

    Args:
        count: Number of sentences.
        rng: Source of randomness.

    Returns:
        Gloss sequences; no gloss occurs twice in one.
    """
    decks: dict[str, list[str]] = {slot: [] for slot in SLOTS}

    def deal(slot: str, used: Sequence[str]) -> str:
        # As cards from a shuffled deck: every gloss once before any again.
        for position, gloss in enumerate(decks[slot]):
            if gloss not in used:
                return decks[slot].pop(position)
        decks[slot] += list(rng.permutation(list(SLOTS[slot])))
        return deal(slot, used)

    sentences = []
    for _ in range(count):
        glosses: list[str] = []
        for slot in PATTERNS[rng.integers(len(PATTERNS))]:
            glosses.append(str(deal(slot, glosses)))
        sentences.append(glosses)
    return sentences


def translate(glosses: Sequence[str]) -> str:
    """The German sentence of a gloss sequence of this grammar.

    Raises:
        ConfigError: If a gloss is not of the toy language.

    Examples:
        >>> translate(['MORGEN', 'NORD', 'REGEN', 'VIEL'])
        'viel regen gibt es morgen im norden .'
    """
    words: dict[str, list[str]] = {slot: [] for slot in SLOTS}
    for gloss in glosses:
        slot = next((s for s, table in SLOTS.items() if gloss in table), None)
        if slot is None:
            raise ConfigError(f'the toy language has no gloss {gloss!r}')
        words[slot].append(SLOTS[slot][gloss])
    topic = ' und '.join(words['what'])
    if not topic:
        return ' '.join([*words['how'], *words['when'], *words['where'], '.'])
    rest = ['gibt es', *words['when'], *words['where']]
    if len(glosses) == 1:
        rest = []
    return ' '.join([*words['how'], topic, *rest, '.'])
