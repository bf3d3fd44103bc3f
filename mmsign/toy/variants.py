"""Variants of the toy corpus: who signs, how many signs there are, how they meet.

``USUAL`` teaches a network the most for its time. It leaves few errors to tell one
network from another by, so there is ``HARD``: a quarter of the training signers, twice
as many signs and strong co-articulation, in as many clips.

Each sign of the hard lexicon beyond the usual ones is the *sibling* of one: the same
sign in all but one of its parameters, as signs of real languages resemble each other.
Of pairs that one stream alone tells apart, the siblings are such a pair as well.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .grammar import SLOTS, Slots
from .lexicon import LEXICON, Hand, Sign
from .signers import Difficulty


class Variant(NamedTuple):
    """A kind of toy corpus.

    Args:
        signers: Number of signers of each split.
        sentences: Number of sentences of each split, unless others are asked for.
        citations: How often each training signer signs each gloss on its own, unless
            something else is asked for.
        slots: Glosses and their words, by slot of a sentence.
        lexicon: Sign of each gloss.
        difficulty: At level 1.
    """

    signers: dict[str, int]
    sentences: dict[str, int]
    citations: int
    slots: Slots
    lexicon: Mapping[str, Sign]
    difficulty: Difficulty


def _each_hand(change: Callable[[Hand], Hand]) -> Callable[[Sign], Sign]:
    def changed(sign: Sign) -> Sign:
        weak = None if sign.weak is None else change(sign.weak)
        return sign._replace(strong=change(sign.strong), weak=weak)

    return changed


def _backwards(hand: Hand) -> Hand:
    return hand._replace(
        path=hand.path[::-1], shape=hand.shape[::-1], angle=hand.angle[::-1]
    )


def _elsewhere(hand: Hand) -> Hand:
    """Before the face what is made before the body, and the other way round."""
    heights = [y for _, y in hand.path]
    shift = -0.75 if sum(heights) > 0 else 0.75
    return hand._replace(path=tuple((x, y + shift) for x, y in hand.path))


_OTHER_SHAPES = dict(
    flat='index', index='flat', two='fist', fist='two', claw='two', horns='flat'
)


def _reshaped(hand: Hand) -> Hand:
    first, last = (_OTHER_SHAPES[name] for name in hand.shape)
    return hand._replace(shape=(first, last))


def _other_hands(sign: Sign) -> Sign:
    """With both hands what is made with one, and the other way round."""
    return sign._replace(weak=sign.strong if sign.weak is None else None)


CHANGES: dict[str, Callable[[Sign], Sign]] = {
    'movement': _each_hand(_backwards),
    'place': _each_hand(_elsewhere),
    'shape': _each_hand(_reshaped),
    'hands': _other_hands,
}
"""What a sibling differs in."""

# Gloss, whose sibling it is and in what they differ, and its words.
_SIBLINGS = {
    'when': 'GESTERN HEUTE movement gestern, MITTAG MORGEN hands am mittag, '
    'ABEND NACHT shape am abend, DIENSTAG MONTAG place am dienstag, '
    'SAMSTAG FREITAG place am samstag',
    'where': 'KUESTE NORD hands an der küste, TAL SUED shape im tal, '
    'WALD OST movement im wald, SEE WEST movement am see, '
    'INSEL ALPEN hands auf den inseln, FLUSS STADT movement am fluss',
    'what': 'NIESEL REGEN movement nieselregen, GRAUPEL SCHNEE movement graupel, '
    'HITZE SONNE hands hitze, DUNST WOLKE place dunst, BRISE WIND place eine brise, '
    'ORKAN STURM place orkanböen, FROST NEBEL shape frost, '
    'BLITZ GEWITTER shape blitze',
    'how': 'LANGE STARK place lange, KURZ SCHWACH hands kurz, OFT VIEL hands oft, '
    'SELTEN WENIG place selten, BESTIMMT MOEGLICH place bestimmt',
}
_ROWS = {
    slot: [entry.split(maxsplit=3) for entry in entries.split(', ')]
    for slot, entries in _SIBLINGS.items()
}

SIBLINGS: dict[str, tuple[str, str]] = {
    gloss: (usual, change)
    for rows in _ROWS.values()
    for gloss, usual, change, _ in rows
}
"""Of each sign that only the hard lexicon has: the usual sign, a key of ``CHANGES``."""

USUAL = Variant(
    signers=dict(train=24, dev=3, test=4),
    sentences=dict(train=700, dev=50, test=100),
    citations=1,
    slots=SLOTS,
    lexicon=LEXICON,
    difficulty=Difficulty(),
)
HARD = Variant(
    signers=dict(train=6, dev=3, test=4),
    sentences=USUAL.sentences,
    citations=2,
    slots={
        slot: SLOTS[slot] | {gloss: words for gloss, _, _, words in rows}
        for slot, rows in _ROWS.items()
    },
    lexicon=LEXICON
    | {
        gloss: CHANGES[change](LEXICON[usual])
        for gloss, (usual, change) in SIBLINGS.items()
    },
    difficulty=Difficulty(coarticulation=2.0),
)

VARIANTS: dict[str, Variant] = dict(usual=USUAL, hard=HARD)
"""By name."""
