"""NIST's files of recognised words (CTM) and of reference transcripts (STM).

A line of a CTM file is ``clip channel start duration word [confidence]``, one of an
STM file ``clip channel speaker start end [<label>] words``; times are in seconds, and
lines that begin with ``;;`` are comments. In an STM file every clip is one segment
here, as in the ground truth of Phoenix-2014.

Some words mean something in these formats: ``<…>``, ``(…)``, ``[EMPTY]``, braces, and
a few more. Where such a word is a gloss, it is written with a backslash before it, in
both kinds of file, and read without.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mmsign.errors import DataError
from mmsign.files import read_lines, write_lines
from mmsign.timing import TimedGloss

EMPTY = '[EMPTY]'
"""Stands for a clip in which nothing was recognised: CTM knows words only."""
UNKNOWN = 'unknown'
"""The speaker of a clip that says no signer."""
TO_THE_END = 1.79769e308
"""The end of a segment that takes all of its clip."""

_UNSUPPORTED = ('{', '}', 'IGNORE_TIME_SEGMENT_IN_SCORING')
# A comment, a byte order mark, a label, an optional word, and the above.
_SPECIAL = re.compile(
    r'\\*(;;.*|\ufeff.*|<.*>|\(.*\)|'
    + '|'.join(map(re.escape, (EMPTY, *_UNSUPPORTED)))
    + ')'
)


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


def read_ctm(path: str | Path) -> dict[str, list[TimedGloss]]:
    """Read a CTM file.

    Returns:
        The words of each clip, times in seconds, in order of time (those of equal time
        as in the file). Without a confidence the score is 1. A clip of which only
        ``[EMPTY]``, or a line without a word, is there has no words.

    Raises:
        DataError: The file cannot be read, or a line is none of a CTM file.
    """
    clips: dict[str, list[TimedGloss]] = {}
    for where, fields in _rows(path):
        numbers = _numbers([*fields[2:4], *fields[5:]])
        if not 4 <= len(fields) <= 6 or not all(map(math.isfinite, numbers)):
            raise DataError(f'{where}: not "clip channel start duration word [score]"')
        words = clips.setdefault(_unescape(fields[0]), [])
        if len(fields) > 4 and fields[4] != EMPTY:
            words.append(TimedGloss(_unescape(fields[4]), *numbers))
    for words in clips.values():
        words.sort(key=lambda word: word.start)
    return clips


def write_ctm(path: str | Path, clips: Mapping[str, Sequence[TimedGloss]]) -> None:
    """Write a CTM file, sorted by clip.

    Times are padded with zeros, so that a program that sorts them as text, as
    Phoenix-2014's evaluation script does, keeps their order. A clip without words
    gets a line of ``[EMPTY]``, without which a scorer would leave it out. A score of 1
    is left out.

    Raises:
        DataError: A name or word is empty, holds white space or cannot be written
            as UTF-8; nothing is written.

    Examples:
        >>> write_ctm('dev.ctm', {'dev-1': [TimedGloss('REGEN', 0.48, 0.16, 0.93)]})
        >>> print(*read_lines('dev.ctm'))
        dev-1 1 00000.480 0.160 REGEN 0.9300
        >>> read_ctm('dev.ctm')['dev-1']
        [TimedGloss(symbol='REGEN', start=0.48, duration=0.16, score=0.93)]
    """
    lines = []
    for clip, words in sorted(clips.items()):
        name = _escape(clip, 'clip')
        if not words:
            lines.append(f'{name} 1 {0:09.3f} {0:.3f} {EMPTY}')
        for word in words:
            text = _escape(word.symbol, f'word of clip {clip!r}')
            line = f'{name} 1 {word.start:09.3f} {word.duration:.3f} {text}'
            lines.append(line if word.score == 1 else f'{line} {word.score:.4f}')
    write_lines(path, lines)


def read_stm(path: str | Path) -> dict[str, StmSegment]:
    """Read an STM file.

    Raises:
        DataError: The file cannot be read; a line is none of an STM file; a clip
            has several segments, or alternatives in braces, or a segment that is
            not to be scored.
    """
    clips: dict[str, StmSegment] = {}
    for where, fields in _rows(path):
        times = _numbers(fields[3:5])
        if len(fields) < 5 or not -math.inf < times[0] <= times[1]:
            raise DataError(f'{where}: not "clip channel speaker start end words"')
        clip, words = _unescape(fields[0]), fields[5:]
        if words and words[0].startswith('<') and words[0].endswith('>'):
            words = words[1:]
        if clip in clips:
            raise DataError(f'{where}: a second segment of {clip!r} is not supported')
        if unsupported := set(_UNSUPPORTED).intersection(words):
            raise DataError(f'{where}: {min(unsupported)} is not supported')
        words = tuple(map(_unescape, words))
        clips[clip] = StmSegment(words, _unescape(fields[2]), *times)
    return clips


def write_stm(path: str | Path, clips: Mapping[str, StmSegment]) -> None:
    """Write an STM file, sorted by clip.

    Raises:
        DataError: As ``write_ctm``.

    Examples:
        >>> segment = StmSegment(('REGEN', 'NORD'), 'Signer01', 0.0, 2.5)
        >>> write_stm('dev.stm', {'dev-1': segment})
        >>> print(*read_lines('dev.stm'))
        dev-1 1 Signer01 0.0 2.5 REGEN NORD
        >>> read_stm('dev.stm')['dev-1'] == segment
        True
    """
    lines = []
    for clip, segment in sorted(clips.items()):
        speaker = _escape(segment.speaker, f'speaker of clip {clip!r}')
        words = [_escape(word, f'word of clip {clip!r}') for word in segment.words]
        times = f'{float(segment.start)} {float(segment.end)}'
        lines.append(' '.join([_escape(clip, 'clip'), '1', speaker, times, *words]))
    write_lines(path, lines)


def export_predictions(
    records: list[dict], path: str | Path, output: str = 'average', fps: float = 25.0
) -> None:
    """Write one output of dumped predictions as CTM, or the references as STM.

    Args:
        records: As ``read_predictions`` gives them, of glosses.
        path: Ends in ``.ctm`` or ``.stm``, which decides what is written.
        output: The output of the model whose glosses a CTM file is to hold.
        fps: Frames per second of the videos: spans count frames, CTM files seconds.

    Raises:
        DataError: The records hold sentences; no such output; another ending; a
            gloss or name that the format cannot hold.
        OSError: The file cannot be written.
    """
    if isinstance(records[0]['reference'], str):
        raise DataError('these predictions are sentences; CTM and STM hold glosses')
    kind = Path(path).suffix.lower()
    if kind == '.stm':
        write_stm(path, {r['clip_id']: _segment(r) for r in records})
    elif kind == '.ctm':
        outputs = records[0]['hypotheses']
        if output not in outputs:
            raise DataError(f'no output {output!r}, only {", ".join(outputs)}')
        hypotheses = {r['clip_id']: r['hypotheses'][output] for r in records}
        write_ctm(path, {clip: _words(h, fps) for clip, h in hypotheses.items()})
    else:
        raise DataError(f'{path} ends neither in .ctm nor in .stm')


def _segment(record: dict) -> StmSegment:
    # Names of people have white space, a field of the line has none.
    speaker = '_'.join(str(record.get('signer') or UNKNOWN).split())
    return StmSegment(tuple(record['reference']), speaker or UNKNOWN)


def _words(hypothesis: dict, fps: float) -> list[TimedGloss]:
    return [
        TimedGloss(gloss, start / fps, (end - start) / fps)
        for gloss, (start, end) in zip(hypothesis['glosses'], hypothesis['spans'])
    ]


def _rows(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Name and fields of each line; comments are left out."""
    for number, line in enumerate(read_lines(path), 1):
        fields = line.split()
        if fields and not fields[0].startswith(';;'):
            yield f'{path}, line {number} ({line[:80]!r})', fields


def _numbers(fields: Sequence[str]) -> list[float]:
    """Numbers of a line, NaN where one is none."""
    try:
        return [float(field) for field in fields]
    except ValueError:
        return [math.nan, math.nan]


def _escape(value: str, what: str) -> str:
    """A name or word as one field of a line."""
    if value.split() != [value] or value != value.encode(errors='ignore').decode():
        raise DataError(f'{value!r} cannot be a {what}: empty, white space or no UTF-8')
    return f'\\{value}' if _SPECIAL.fullmatch(value) else value


def _unescape(field: str) -> str:
    return field[1:] if field[0] == '\\' and _SPECIAL.fullmatch(field) else field
