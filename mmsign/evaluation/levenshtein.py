"""Word errors at unit costs, as some repositories report them, counted by jiwer."""

from mmsign.errors import ConfigError, optional_import

from .tokens import Sentences, check_pairs
from .wer import WordErrors

COSTS = 'sclite', 'levenshtein'
"""Of substitutions, insertions and deletions: 4, 3 and 3, or 1 each."""


def check_costs(costs: str) -> None:
    """Refuse other costs, and unit costs without jiwer.

    Raises:
        ConfigError, MissingPackageError: Says what to do.
    """
    if costs not in COSTS:
        raise ConfigError(f'costs={costs!r} must be one of {", ".join(COSTS)}')
    if costs == 'levenshtein':
        optional_import('jiwer', 'scores')


def levenshtein_errors(references: Sentences, hypotheses: Sentences) -> WordErrors:
    """Errors of a corpus by the alignment with the fewest of them.

    Never more than ``count_word_errors`` finds. Which of several alignments with as
    few is taken, and so how they are split into kinds, is jiwer's choice.

    Args:
        references: One sequence of words per sentence.
        hypotheses: As many, in the same order.

    Raises:
        DataError: The numbers of sentences differ, or there are none.
        MissingPackageError: jiwer is not installed.
    """
    check_pairs(references, hypotheses)
    jiwer = optional_import('jiwer', 'scores')
    # Words are numbered: jiwer splits sentences at spaces, and may strip others.
    numbers: dict[str, int] = {}
    lines = [
        [' '.join(str(numbers.setdefault(w, len(numbers))) for w in s) for s in side]
        for side in (references, hypotheses)
    ]
    # A sentence without words on both sides is none to jiwer.
    spoken = [pair for pair in zip(*lines) if any(pair)]
    correct = sum(map(str.__eq__, *lines))
    if not spoken:
        return WordErrors(sentences=len(lines[0]), correct_sentences=correct)
    found = jiwer.process_words(*map(list, zip(*spoken)))
    errors = found.substitutions, found.deletions, found.insertions
    words = found.hits + found.substitutions + found.deletions
    return WordErrors(*errors, words, len(lines[0]), correct)
