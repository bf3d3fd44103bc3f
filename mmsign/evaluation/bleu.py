"""BLEU and chrF as sacrebleu computes them: docs/method.md#metrics.

sacrebleu belongs to the extra ``translation`` and is imported when a score is
asked for. Its version decides the numbers, so it is part of the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmsign.errors import optional_import

from .tokens import check_pairs, split_text

MAX_ORDER = 4
# Module and the extra that brings it.
METRICS = 'sacrebleu.metrics', 'translation'

# Words: the texts are tokenised already. Characters: sacrebleu's own splitting,
# so that the signature says it.
_TOKENIZERS = {'word': 'none', 'character': 'char'}


class BleuScores(NamedTuple):
    """BLEU of a corpus.

    Attributes:
        scores: BLEU-1 to BLEU-4 in percent; BLEU-n takes n-grams up to n.
        signature: sacrebleu's, of BLEU-4: how it was computed, and which version.
    """

    scores: tuple[float, ...]
    signature: str


def corpus_bleu(
    references: Sequence[str], hypotheses: Sequence[str], level: str = 'word'
) -> BleuScores:
    """BLEU-1 to BLEU-4 over the corpus, one reference per sentence.

    Args:
        references: Sentences; words are separated by white space.
        hypotheses: As many, in the same order; an empty one counts as nothing said.
        level: ``word``: no further tokenisation. ``character``: every character
            is a token.

    Raises:
        DataError: the numbers of sentences differ, or there are none.
        ConfigError: the level is unknown.
        MissingPackageError: sacrebleu is not installed.

    Examples:
        >>> found = corpus_bleu(['am tag regnet es .'], ['am tag schneit es .'])
        >>> [round(score, 1) for score in found.scores]
        [80.0, 63.2, 40.5, 30.2]
        >>> 'tok:none' in found.signature
        True
    """
    check_pairs(references, hypotheses)
    split_text('', level)
    metrics = optional_import(*METRICS)
    scores = []
    for order in range(1, MAX_ORDER + 1):
        # `force` silences a warning about tokenised text, which is intended here.
        bleu = metrics.BLEU(
            tokenize=_TOKENIZERS[level], max_ngram_order=order, force=True
        )
        scores.append(bleu.corpus_score(list(hypotheses), [list(references)]).score)
    return BleuScores(tuple(scores), str(bleu.get_signature()))


def corpus_chrf(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """chrF2 in percent: character n-grams up to 6, without white space.

    Args and errors as in ``corpus_bleu``; characters at either level.

    Examples:
        >>> round(corpus_chrf(['es regnet .'], ['es schneit .']), 1)
        17.0
    """
    check_pairs(references, hypotheses)
    chrf = optional_import(*METRICS).CHRF()
    return chrf.corpus_score(list(hypotheses), [list(references)]).score
