"""Word errors as text."""

from __future__ import annotations

from collections.abc import Mapping

from .wer import WordErrors


def word_error_table(errors: Mapping[str, WordErrors]) -> str:
    """A table with one line per entry: its name, WER in percent, S, D, I, N (the
    reference words), and the sentences without error in percent.

    Raises:
        ValueError: an entry's word error rate is undefined.
    """
    width = max(map(len, [*errors, 'output']))
    lines = [
        f'{"output":{width}}  {"WER":>6}  {"S":>5}  {"D":>5}  {"I":>5}  {"N":>6}  '
        'sentences correct'
    ]
    for name, counts in errors.items():
        lines.append(
            f'{name:{width}}  {counts.wer:6.2f}  {counts.substitutions:5}  '
            f'{counts.deletions:5}  {counts.insertions:5}  '
            f'{counts.reference_words:6}  {counts.sentence_accuracy:6.2f} % of '
            f'{counts.sentences}'
        )
    return '\n'.join(lines)
