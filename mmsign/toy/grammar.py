"""Sentences of the toy language, and what they say in German.

A sentence is signed as (when) (where) what (how), the topic first, and spoken in
another order: "viel regen gibt es morgen im norden .".
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mmsign.errors import ConfigError

# The glosses of each slot of a sentence, and their words.
_WORDS = {
    'when': 'HEUTE heute, MORGEN morgen, NACHT in der nacht, MONTAG am montag, '
    'FREITAG am freitag',
    'where': 'NORD im norden, SUED im süden, OST im osten, WEST im westen, '
    'ALPEN in den alpen, STADT in der stadt',
    'what': 'REGEN regen, SCHNEE schnee, SONNE sonne, WOLKE wolken, WIND wind, '
    'STURM sturm, NEBEL nebel, GEWITTER gewitter',
    'how': 'STARK kräftig, SCHWACH schwach, VIEL viel, WENIG wenig, '
    'MOEGLICH vielleicht',
}
Slots = Mapping[str, dict[str, str]]
SLOTS: Slots = {
    slot: dict(entry.split(maxsplit=1) for entry in entries.split(', '))
    for slot, entries in _WORDS.items()
}
"""Glosses and their words, by slot."""

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


def make_sentences(
    count: int, rng: np.random.Generator, slots: Slots = SLOTS
) -> list[list[str]]:
    """Draw sentences in which all glosses of a slot are equally frequent.

    Args:
        count: Number of sentences.
        rng: Source of randomness.
        slots: Glosses and their words, by slot.

    Returns:
        Gloss sequences; no gloss occurs twice in one.
    """
    decks: dict[str, list[str]] = {slot: [] for slot in slots}
    sentences = []
    for _ in range(count):
        glosses: list[str] = []
        for slot in PATTERNS[rng.integers(len(PATTERNS))]:
            # As cards from a shuffled deck: every gloss once before any again.
            if not set(decks[slot]) - set(glosses):
                decks[slot] += map(str, rng.permutation(list(slots[slot])))
            glosses.append(next(g for g in decks[slot] if g not in glosses))
            decks[slot].remove(glosses[-1])
        sentences.append(glosses)
    return sentences


def translate(glosses: Sequence[str], slots: Slots = SLOTS) -> str:
    """The German sentence of a gloss sequence of this grammar.

    Args:
        glosses: What is signed.
        slots: Glosses and their words, by slot.

    Raises:
        ConfigError: If a gloss is not of the toy language.

    Examples:
        >>> translate(['MORGEN', 'NORD', 'REGEN', 'VIEL'])
        'viel regen gibt es morgen im norden .'
    """
    tables = slots.values()
    for gloss in glosses:
        if not any(gloss in table for table in tables):
            raise ConfigError(f'the toy language has no gloss {gloss!r}')
    when, where, what, how = ([t[g] for g in glosses if g in t] for t in tables)
    if not what:
        return ' '.join([*how, *when, *where, '.'])
    rest = ['gibt es', *when, *where] if len(glosses) > 1 else []
    return ' '.join([*how, ' und '.join(what), *rest, '.'])
