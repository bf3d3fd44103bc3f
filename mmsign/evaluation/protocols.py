"""Two ways to score Phoenix-2014, and why their numbers differ.

``paper``: both sides go through the sentence-level clean-up of ``cleanup.py``. That
is what the method's authors report, and the only way for the other corpora.

``official``: what the evaluation script does that is shipped with the corpus. The
released STM is the reference as it stands. The hypothesis, a CTM file, has one word
per line, and the script cleans line by line: marks go and variants are unified,
but nothing that needs two words happens, neither joining of spelled letters nor
merging of repetitions. A clip with no word left gets the word ``[EMPTY]``, which
then counts as a substitution. sclite compares without regard to case.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmsign.errors import ConfigError

from .cleanup import PHOENIX2014_WORD_RULES, apply_rules, clean_glosses

PROTOCOLS = ('paper', 'official')
OFFICIAL_CORPUS = 'phoenix2014'

_NOTHING_LEFT = '[EMPTY]'
_DROPPED = '__EPENTHESIS__'

Sentences = Sequence[Sequence[str]]


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
        raise ConfigError(
            f'no protocol {protocol!r} for {cleanup!r}: expected one of '
            f'{", ".join(PROTOCOLS)}, the latter for {OFFICIAL_CORPUS} only'
        )
    both = references, map(clean_word_by_word, hypotheses)
    return tuple([list(map(_fold, words)) for words in side] for side in both)


def clean_word_by_word(words: Sequence[str]) -> list[str]:
    """A hypothesis as Phoenix-2014's script leaves it; never empty.

    Examples:
        >>> clean_word_by_word(['loc-NORD', '__PU__', 'A', 'B'])
        ['NORD', 'A', 'B']
    """
    kept = (word for word in words if _DROPPED not in word)
    cleaned = [apply_rules(PHOENIX2014_WORD_RULES, word) for word in kept]
    return [word for word in cleaned if word] or [_NOTHING_LEFT]


def _fold(word: str) -> str:
    # As sclite does: letters outside of ASCII keep their case.
    return ''.join(c.lower() if c.isascii() else c for c in word)
