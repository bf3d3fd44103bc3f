"""STM, NIST's file of reference transcripts: one segment per line.

A line is ``clip channel speaker start end [<label>] words``, times in seconds; lines
that begin with ``;;`` are comments. Here every clip is one segment, as in the
ground truth of Phoenix-2014.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import NamedTuple

from mmsign.errors import DataError
from mmsign.files import read_lines, write_lines

from .ctm import check_field

TO_THE_END = 1.79769e308
"""The end of a segment that takes all of its clip."""

_UNSUPPORTED = {'{', '}', 'IGNORE_TIME_SEGMENT_IN_SCORING'}


class StmSegment(NamedTuple):
    """The transcript of a clip.

    Attributes:
        words: Its words.
        speaker: Name of the signer.
        start, end: Seconds.
    """

    words: tuple[str, ...]
    speaker: str
    start: float = 0.0
    end: float = TO_THE_END


def read_stm(path: str | os.PathLike) -> dict[str, StmSegment]:
    """Read an STM file.

    Raises:
        DataError: the file cannot be read; a line is none of an STM file; a clip
            has several segments, or alternatives in braces, or a segment that is
            not to be scored.
    """
    clips: dict[str, StmSegment] = {}
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip() or line.lstrip().startswith(';;'):
            continue
        where = f'{path}, line {number}'
        fields = line.split()
        try:
            clip, _, speaker = fields[:3]
            start, end = map(float, fields[3:5])
            valid = start <= end and math.isfinite(start)
        except ValueError:
            valid = False
        if not valid:
            raise DataError(
                f'{where} is none of an STM file: expected "clip channel speaker start '
                f'end words" with times in seconds, got {line[:80]!r}'
            )
        words = fields[5:]
        if words and words[0].startswith('<') and words[0].endswith('>'):
            words = words[1:]
        if clip in clips:
            raise DataError(
                f'{where}: clip {clip!r} comes a second time; segments within a clip '
                'are not supported'
            )
        if unsupported := _UNSUPPORTED.intersection(words):
            raise DataError(
                f'{where}: {sorted(unsupported)[0]} is not supported, only plain words'
            )
        clips[clip] = StmSegment(tuple(words), speaker, start, end)
    return clips


def write_stm(path: str | os.PathLike, clips: Mapping[str, StmSegment]) -> None:
    """Write an STM file, sorted by clip.

    Raises:
        ValueError: a name or word is empty or holds white space; nothing is written.
    """
    lines = []
    for clip, segment in sorted(clips.items()):
        check_field(clip, 'clip')
        check_field(segment.speaker, f'speaker of clip {clip!r}')
        for word in segment.words:
            check_field(word, f'word of clip {clip!r}')
        times = f'{segment.start:.1f} {segment.end:.6g}'
        lines.append(' '.join([clip, '1', segment.speaker, times, *segment.words]))
    write_lines(path, lines)
