"""All scores of translated sentences at once, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from mmsign.errors import DataError

from .bleu import corpus_bleu, corpus_chrf
from .rouge import FIELD_BETA, corpus_rouge_l
from .tokens import split_text


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

    def to_dict(self) -> dict[str, float | str]:
        return asdict(self)


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
        raise DataError(
            f'the {len(references)} references hold no word, so there is no score'
        )
    return TextScores(
        *bleu.scores,
        rouge_l=corpus_rouge_l(expected, found),
        rouge_l_beta1_2=corpus_rouge_l(expected, found, FIELD_BETA),
        chrf=corpus_chrf(references, hypotheses),
        signature=bleu.signature,
    )


def text_score_table(scores: Mapping[str, TextScores]) -> str:
    """A table with one line per entry, and the signature of BLEU under it."""
    columns = ('BLEU-1', 'BLEU-2', 'BLEU-3', 'BLEU-4', 'ROUGE-L', 'R-L b1.2', 'chrF')
    width = max(map(len, [*scores, 'output']))
    lines = [f'{"output":{width}}' + ''.join(f'{name:>10}' for name in columns)]
    for name, entry in scores.items():
        *values, _ = entry.to_dict().values()
        lines.append(f'{name:{width}}' + ''.join(f'{value:10.2f}' for value in values))
    signatures = dict.fromkeys(entry.signature for entry in scores.values())
    return '\n'.join([*lines, *(f'BLEU: {signature}' for signature in signatures)])
