"""Gloss clean-ups applied to reference and hypothesis before scoring.

Published word error rates on the Phoenix corpora are taken after a clean-up that
drops annotation marks, unifies variants of a sign and joins what was spelled
letter by letter. Each corpus has its own; the numbers are comparable only with
exactly these, so their oddities are kept (a word spelled at the very beginning of
a sentence is joined differently, for one).

A clean-up is a table of rules, worked from top to bottom on the glosses joined by
single spaces. A gloss that is dropped leaves its space behind until the last
rules: what stood on its two sides are no neighbours for the rules before.

There are two protocols for Phoenix-2014, and their numbers differ:

``paper``: both sides go through the sentence-level clean-up. That is what the method's
authors report, and the only way for the other corpora.

``official``: what the evaluation script does that is shipped with the corpus. The
released STM is the reference as it stands. The hypothesis, a CTM file, has one word
per line, and the script cleans line by line: marks go and variants are unified,
but nothing that needs two words happens, neither joining of spelled letters nor
merging of repetitions. A clip with no word left gets the word ``[EMPTY]``, which
then counts as a substitution. sclite compares without regard to case.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from mmsign.errors import ConfigError

from .tokens import Sentences

PROTOCOLS = ('paper', 'official')
OFFICIAL_CORPUS = 'phoenix2014'


class Rule(NamedTuple):
    """Replace what ``pattern`` finds, ``times`` times over the whole sentence."""

    pattern: str
    replacement: str
    times: int = 1


# Fingerspelling: single letters become one gloss, A B C -> A+B+C. The trigraph SCH
# and the doubled N count as letters next to others. A pass uses up the space
# between two letters, so the next pair is found by the next pass.
_SPELLING = (
    Rule(r'^([A-Z]) ([A-Z][+ ])', r'\1+\2'),
    Rule(r'[+ ]([A-Z]) ([A-Z]) ', r' \1+\2 '),
    Rule(r'([+ ][A-Z]) ([A-Z][+ ])', r'\1+\2', times=3),
    Rule(r'([+ ]SCH) ([A-Z][+ ])', r'\1+\2'),
    Rule(r'([+ ]NN) ([A-Z][+ ])', r'\1+\2'),
    Rule(r'([+ ][A-Z]) (NN[+ ])', r'\1+\2'),
    Rule(r'([+ ][A-Z]) ([A-Z])$', r'\1+\2'),
)

# A sign made twice, up to four times over: also where the second is the first
# letter of a spelled word (A A+B -> A+B), which merging equal glosses misses.
_REPETITION = (
    Rule(r' +', ' '),
    Rule(r'(?<![\w-])([A-Z]+)(?![\w-]) \1(?![\w-])', r'\1', times=4),
)

_PHOENIX2014 = (
    # Marks of place, classifier, question, possessive and left hand.
    Rule(r'loc-|cl-|qu-|poss-|lh-', ''),
    # Variants and a typing error.
    Rule(r'S0NNE', 'SONNE'),
    Rule(r'HABEN2', 'HABEN'),
    # What is no sign. __ON__ and __OFF__ stay: the corpus scores them.
    Rule(r'__(?:EMOTION|PU|LEFTHAND|EPENTHESIS)__', ''),
    Rule(r'WIE AUSSEHEN', 'WIE-AUSSEHEN'),
    Rule(r'ZEIGEN(?!\S)', 'ZEIGEN-BILDSCHIRM'),
    *_SPELLING,
    # NORDRAUM -> NORD, and the mark of a repeated movement.
    Rule(r'([A-Z]{2})RAUM', r'\1'),
    Rule(r'-PLUSPLUS', ''),
    *_REPETITION,
)

# A rule of two words has the space between them in its pattern.
PHOENIX2014_WORD_RULES = [rule for rule in _PHOENIX2014 if ' ' not in rule.pattern]
"""Those that need no second word: what ``official`` applies."""

_PHOENIX2014T = (
    # What is no sign, __ON__ and __OFF__ included.
    Rule(r'__(?:EMOTION|LEFTHAND|EPENTHESIS)__', ''),
    Rule(r'\b__[^_ ]*__\b', ''),
    # Marks of place and classifier; the others stay.
    Rule(r'\bloc-([^ ]*)\b', r'\1'),
    Rule(r'\bcl-([^ ]*)\b', r'\1'),
    Rule(r'\b([^ ]*)-PLUSPLUS\b', r'\1'),
    Rule(r'\b([A-Z]+)RAUM\b', r'\1'),
    Rule(r'WIE AUSSEHEN', 'WIE-AUSSEHEN'),
    *_SPELLING,
    *_REPETITION,
)

GLOSS_CLEANUPS: Mapping[str, tuple[Rule, ...] | None] = dict(
    phoenix2014=_PHOENIX2014, phoenix2014T=_PHOENIX2014T, none=None
)
"""The rules of each clean-up; None leaves the glosses as they are."""


def clean_glosses(glosses: Sequence[str], cleanup: str) -> list[str]:
    """Clean one sentence.

    Args:
        glosses: The glosses as annotated or recognised, without spaces inside.
        cleanup: A key of ``GLOSS_CLEANUPS``: ``phoenix2014``, ``phoenix2014T`` or
            ``none`` (CSL-Daily has no clean-up).

    Returns:
        The cleaned glosses; may be fewer, even none. Both Phoenix clean-ups merge
        equal neighbours.

    Raises:
        ConfigError: there is no clean-up of that name.

    Examples:
        >>> clean_glosses(['__ON__', 'loc-NORD', 'REGEN', 'REGEN'], 'phoenix2014T')
        ['NORD', 'REGEN']
    """
    if cleanup not in GLOSS_CLEANUPS:
        known = 'METAINFO and metrics know ' + ', '.join(GLOSS_CLEANUPS)
        raise ConfigError(f'there is no gloss_cleanup {cleanup!r}: {known}')
    rules = GLOSS_CLEANUPS[cleanup]
    if rules is None:
        return list(glosses)
    sentence = apply_rules(rules, ' '.join(glosses))
    return [gloss for gloss, _ in groupby(sentence.split())]


def apply_rules(rules: Sequence[Rule], text: str) -> str:
    """Work through a table of rules from top to bottom."""
    for pattern, replacement, times in rules:
        for _ in range(times):
            text = re.sub(pattern, replacement, text)
    return text


def apply_protocol(
    references: Sentences, hypotheses: Sentences, protocol: str, cleanup: str
) -> tuple[list[list[str]], list[list[str]]]:
    """The words that are to be compared, of references and of hypotheses.

    Args:
        references: Words of each sentence; for ``official`` those of the STM.
        hypotheses: Words of each sentence, as recognised.
        protocol: One of ``PROTOCOLS``.
        cleanup: The clean-up of ``paper``, see ``clean_glosses``; ``official`` is
            defined for ``phoenix2014`` alone.

    Raises:
        ConfigError: no such protocol, or not for this clean-up.
    """
    if protocol == 'paper':
        both = references, hypotheses
        return tuple([clean_glosses(words, cleanup) for words in side] for side in both)
    if protocol != 'official' or cleanup != OFFICIAL_CORPUS:
        known = f'expected paper or, for {OFFICIAL_CORPUS} only, official'
        raise ConfigError(f'no protocol {protocol!r} for {cleanup!r}: {known}')
    both = references, map(clean_word_by_word, hypotheses)
    return tuple([list(map(_fold, words)) for words in side] for side in both)


def clean_word_by_word(words: Sequence[str]) -> list[str]:
    """A hypothesis as Phoenix-2014's script leaves it; never empty.

    Examples:
        >>> clean_word_by_word(['loc-NORD', '__PU__', 'A', 'B'])
        ['NORD', 'A', 'B']
    """
    kept = (word for word in words if '__EPENTHESIS__' not in word)
    cleaned = [apply_rules(PHOENIX2014_WORD_RULES, word) for word in kept]
    return [word for word in cleaned if word] or ['[EMPTY]']


def _fold(word: str) -> str:
    # As sclite does: letters outside of ASCII keep their case.
    return ''.join(c.lower() if c.isascii() else c for c in word)
