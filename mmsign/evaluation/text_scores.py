"""BLEU, chrF and ROUGE-L of translated sentences: docs/method.md#metrics.

BLEU and chrF are sacrebleu's, which belongs to the extra ``translation`` and is
imported when a score is asked for. Its version decides the numbers, so it is part of
the signature.

Symbols of ROUGE-L: P and R are the longest common subsequence over the length of the
hypothesis and of the reference. A sentence's score is the F measure
(1 + b^2) R P / (R + b^2 P), a corpus's the mean over its sentences.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

from mmsign.errors import DataError, optional_import

from .tokens import Sentences, Tokens, check_pairs, split_text

NAMES = ('BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4', 'ROUGE-L', 'ROUGE-L-beta1.2', 'chrF')
"""Of the scores, in tables and as ``BLEUMetric`` reports them."""

FIELD_BETA = 1.2
"""The weight of recall that most of the field uses; the paper's is P / R."""

# Words: the texts are tokenised already. Characters: sacrebleu's own splitting,
# so that the signature says it.
_TOKENIZERS = {'word': 'none', 'character': 'char'}

SACREBLEU = 'sacrebleu.metrics', 'translation'
"""Module and the extra that brings it."""


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
    texts, scores = (list(hypotheses), [list(references)]), []
    for order in (1, 2, 3, 4):
        # `force` silences a warning about tokenised text, which is intended here.
        options = dict(tokenize=_TOKENIZERS[level], max_ngram_order=order, force=True)
        bleu = optional_import(*SACREBLEU).BLEU(**options)
        scores.append(bleu.corpus_score(*texts).score)
    return BleuScores(tuple(scores), str(bleu.get_signature()))


def corpus_chrf(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """chrF2 in percent: character n-grams up to 6, without white space.

    Args and errors as in ``corpus_bleu``; characters at either level.

    Examples:
        >>> round(corpus_chrf(['es regnet .'], ['es schneit .']), 1)
        17.0
    """
    check_pairs(references, hypotheses)
    chrf = optional_import(*SACREBLEU).CHRF()
    return chrf.corpus_score(list(hypotheses), [list(references)]).score


def corpus_rouge_l(
    references: Sentences, hypotheses: Sentences, beta: float | None = None
) -> float:
    """Mean ROUGE-L in percent.

    Args:
        references: The tokens of each sentence.
        hypotheses: As many, in the same order.
        beta: As in ``rouge_l``.

    Raises:
        DataError: the numbers of sentences differ, or there are none.

    Examples:
        >>> score = corpus_rouge_l([['es', 'regnet']], [['es', 'regnet', 'heute']])
        >>> round(score, 1)
        74.3
    """
    check_pairs(references, hypotheses)
    pairs = zip(references, hypotheses)
    return 100 * sum(rouge_l(*pair, beta) for pair in pairs) / len(references)


def rouge_l(reference: Tokens, hypothesis: Tokens, beta: float | None = None) -> float:
    """ROUGE-L of one sentence, from 0 to 1.

    Args:
        reference: Tokens.
        hypothesis: Tokens.
        beta: Weight of recall; None takes P / R, as the paper's numbers do.

    Returns:
        The F measure; 0 without a common token; 1 if both sides are empty.

    Examples:
        >>> round(rouge_l('am tag regnet es .'.split(), 'am tag schneit .'.split()), 3)
        0.651
    """
    if not reference and not hypothesis:
        return 1.0
    common = longest_common_subsequence(reference, hypothesis)
    if not common:
        return 0.0
    precision, recall = common / len(hypothesis), common / len(reference)
    squared = (precision / recall if beta is None else beta) ** 2
    return (1 + squared) * recall * precision / (recall + squared * precision)


def longest_common_subsequence(first: Tokens, second: Tokens) -> int:
    """Length of the longest sequence that is left of both by leaving out tokens.

    One row of the usual table is one integer: a bit that is 0 says that the length
    grows at that place of ``first`` (Hyyro, 2004).
    """
    places: dict[Hashable, int] = {}
    for index, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << index
    row = everywhere = (1 << len(first)) - 1
    for token in second:
        matches = row & places.get(token, 0)
        row = (row + matches | row - matches) & everywhere
    return len(first) - row.bit_count()


@dataclass(frozen=True)
class TextScores:
    """Scores of a corpus, in percent.

    Attributes:
        bleu1, bleu2, bleu3, bleu4: sacrebleu's, with n-grams up to n.
        rouge_l: ROUGE-L with beta = P / R, the paper's.
        rouge_l_beta1_2: ROUGE-L with beta = 1.2, the field's.
        chrf: chrF2.
        signature: How BLEU was computed.
    """

    bleu1: float
    bleu2: float
    bleu3: float
    bleu4: float
    rouge_l: float
    rouge_l_beta1_2: float
    chrf: float
    signature: str

    def metrics(self) -> dict[str, float]:
        """The scores under their ``NAMES``, without the signature."""
        return dict(zip(NAMES, astuple(self)))


def score_texts(
    references: Sequence[str], hypotheses: Sequence[str], level: str = 'word'
) -> TextScores:
    """Score the sentences of a corpus.

    Args:
        references: Sentences, at least one of them not empty.
        hypotheses: As many, in the same order; may be empty.
        level: ``word`` (German: the texts are tokenised, nothing is done to them) or
            ``character`` (Chinese: white space does not count).

    Raises:
        DataError: the numbers of sentences differ, or no reference holds a word.
        ConfigError: the level is unknown.
        MissingPackageError: sacrebleu is not installed.

    Examples:
        >>> found = score_texts(['am tag regnet es .'], ['am tag schneit es .'])
        >>> round(found.bleu4, 1), round(found.rouge_l, 1)
        (30.2, 80.0)
    """
    expected = [split_text(text, level) for text in references]
    found = [split_text(text, level) for text in hypotheses]
    bleu = corpus_bleu(references, hypotheses, level)
    if not any(expected):
        raise DataError(f'no score: the {len(references)} references hold no word')
    rouge = (corpus_rouge_l(expected, found, beta) for beta in (None, FIELD_BETA))
    chrf = corpus_chrf(references, hypotheses)
    return TextScores(*bleu.scores, *rouge, chrf, bleu.signature)


def text_score_table(scores: Mapping[str, TextScores]) -> str:
    """A table with one line per entry, and the signature of BLEU under it."""
    width = max(map(len, [*scores, 'output']))
    # Short enough for ten columns.
    names = (name.replace('ROUGE-L-beta', 'R-L b') for name in NAMES)
    lines = [f'{"output":{width}}' + ''.join(f'{name:>10}' for name in names)]
    for name, entry in scores.items():
        values = entry.metrics().values()
        lines.append(f'{name:{width}}' + ''.join(f'{value:10.2f}' for value in values))
    signatures = dict.fromkeys(entry.signature for entry in scores.values())
    return '\n'.join([*lines, *(f'BLEU: {signature}' for signature in signatures)])
