"""CTM, NIST's file of recognised words: one word and its time per line.

A line is ``clip channel start duration word [confidence]``, times in seconds; lines
that begin with ``;;`` are comments.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmsign.errors import DataError
from mmsign.files import read_lines, write_lines

EMPTY = '[EMPTY]'
"""Stands for a clip in which nothing was recognised: the format knows words only."""


class CtmWord(NamedTuple):
    """One recognised word.

    Attributes:
        word: As recognised.
        start: Seconds from the beginning of the clip.
        duration: Seconds.
        confidence: 0 to 1, or None.
    """

    word: str
    start: float
    duration: float
    confidence: float | None = None


def read_ctm(path: str | os.PathLike) -> dict[str, list[CtmWord]]:
    """Read a CTM file.

    Returns:
        The words of each clip in order of time (those of equal time as in the file).
        A clip of which only ``[EMPTY]``, or a line without a word, is there has no
        words.

    Raises:
        DataError: the file cannot be read, or a line is none of a CTM file.
    """
    clips: dict[str, list[CtmWord]] = {}
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.lstrip().startswith(';;'):
            continue
        fields = line.split()
        numbers = _numbers([*fields[2:4], *fields[5:]])
        if not 4 <= len(fields) <= 6 or numbers is None:
            raise DataError(
                f'{path}, line {number} is none of a CTM file: expected "clip channel '
                f'start duration word [confidence]" with times in seconds, got {line!r}'
            )
        words = clips.setdefault(fields[0], [])
        if len(fields) > 4 and fields[4] != EMPTY:
            start, duration, *confidence = numbers
            words.append(CtmWord(fields[4], start, duration, *confidence))
    return {
        clip: sorted(words, key=lambda word: word.start)
        for clip, words in clips.items()
    }


def write_ctm(path: str | os.PathLike, clips: Mapping[str, Sequence[CtmWord]]) -> None:
    """Write a CTM file, sorted by clip.

    Times are padded with zeros, so that a program that sorts them as text, as
    Phoenix-2014's evaluation script does, keeps their order. A clip without words
    gets a line of ``[EMPTY]``, without which a scorer would leave it out.

    Raises:
        ValueError: a name or word is empty or holds white space; nothing is written.
    """
    lines = []
    for clip, words in sorted(clips.items()):
        for word in words or [CtmWord(EMPTY, 0, 0)]:
            check_field(clip, 'clip')
            check_field(word.word, f'word of clip {clip!r}')
            line = f'{clip} 1 {word.start:09.3f} {word.duration:.3f} {word.word}'
            if word.confidence is not None:
                line += f' {word.confidence:.4f}'
            lines.append(line)
    write_lines(path, lines)


def check_field(value: str, what: str) -> None:
    """Refuse what would not be one field of a line.

    Raises:
        ValueError: ``value`` is empty or holds white space.
    """
    if value.split() != [value]:
        raise DataError(
            f'{value!r} cannot be a {what} in a CTM or STM file: it is empty or holds '
            'white space'
        )


def _numbers(fields: Sequence[str]) -> list[float] | None:
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
