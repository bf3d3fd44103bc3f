"""Subtitles: SubRip (``.srt``) and WebVTT (``.vtt``), as timed texts in seconds."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmsign.errors import DataError
from mmsign.files import read_lines, write_lines
from mmsign.timing import TimedGloss

SUFFIXES = ('.srt', '.vtt')
_TIME = r'(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})'
_ARROW = re.compile(rf'\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?')
# <i>, </c>, <v Ann>, <00:01.000>, {\an8}: how a text looks, not what it says.
_MARKUP = re.compile(r'</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}')
# Before the first time of a block; what such a block says is no text.
_NO_TEXT = re.compile(r'(WEBVTT|NOTE|STYLE|REGION)(\s|$)')
_SENTENCE_END = re.compile(r'[.!?…。！？]["\'“”‘’»«)\]]*$')


def read_subtitles(path: str | os.PathLike) -> list[TimedGloss]:
    """Read the texts of a file of either kind.

    Returns:
        In order of time; lines of a text are put together with spaces, markup is left
        out, and so are texts with nothing else.

    Raises:
        DataError: Naming file and line, if a time is none, ends before it begins, or
            there is no time at all.

    Examples:
        >>> write_subtitles('rec.srt', [TimedGloss('Es regnet.', 0.5, 2.25)])
        >>> read_subtitles('rec.srt')
        [TimedGloss(symbol='Es regnet.', start=0.5, duration=2.25, score=1.0)]
    """
    lines = read_lines(path)
    is_vtt = Path(path).suffix.lower() == '.vtt'
    found, number = [], 0
    while number < len(lines):
        if '-->' not in lines[number]:
            # A comment may span lines, and even show an arrow.
            skip = is_vtt and _NO_TEXT.match(lines[number])
            number += 1
            while skip and number < len(lines) and lines[number].strip():
                number += 1
            continue
        start, end = _times(lines[number], f'{path}, line {number + 1}')
        number += 1
        text = []
        while number < len(lines) and lines[number].strip():
            if '-->' in lines[number]:
                where = f'{path}, line {number + 1}'
                raise DataError(
                    f'{where}: a time within a text; put an empty line before'
                )
            text.append(lines[number])
            number += 1
        said = ' '.join(_MARKUP.sub('', ' '.join(text)).split())
        said = html.unescape(said) if is_vtt else said
        if said:
            found.append(TimedGloss(said, start, round(end - start, 3)))
    if not found and not any('-->' in line for line in lines):
        raise DataError(f'{path}: no subtitles, expected lines START --> END')
    return sorted(found, key=lambda one: one.start)


def write_subtitles(path: str | os.PathLike, texts: Iterable[TimedGloss]) -> None:
    """Write texts that ``path``'s suffix, ``.srt`` or ``.vtt``, says how.

    Times are in milliseconds. White space in a text becomes a space.
    """
    is_vtt = Path(path).suffix.lower() == '.vtt'
    lines = ['WEBVTT', ''] if is_vtt else []
    for number, one in enumerate(texts, 1):
        said = ' '.join(one.symbol.split())
        start, end = (_clock(t, '.' if is_vtt else ',') for t in (one.start, one.end))
        said = html.escape(said, quote=False) if is_vtt else said
        lines += [] if is_vtt else [str(number)]
        lines += [f'{start} --> {end}', said, '']
    write_lines(path, lines)


def sentences_of(texts: Sequence[TimedGloss], pause: float) -> list[TimedGloss]:
    """Put texts together that are one sentence in several subtitles.

    A text goes on with the next one unless it ends with a full stop, a question or
    exclamation mark or an ellipsis, or that begins ``pause`` seconds later or more.

    Examples:
        >>> parts = [TimedGloss('Es wird', 0.0, 1.0), TimedGloss('kalt.', 1.2, 1.0)]
        >>> sentences_of(parts, pause=1.0)
        [TimedGloss(symbol='Es wird kalt.', start=0.0, duration=2.2, score=1.0)]
    """
    joined: list[TimedGloss] = []
    for one in texts:
        before = joined[-1] if joined else None
        if (
            before is None
            or _SENTENCE_END.search(before.symbol)
            or one.start - before.end >= pause
        ):
            joined.append(one)
            continue
        end = max(before.end, one.end)
        text = f'{before.symbol} {one.symbol}'
        joined[-1] = TimedGloss(text, before.start, round(end - before.start, 3))
    return joined


def _times(line: str, where: str) -> tuple[float, float]:
    found = _ARROW.fullmatch(line)
    if found is None:
        text = 'expected HH:MM:SS,mmm --> HH:MM:SS,mmm'
        raise DataError(f'{where}: {line.strip()[:60]!r}, {text}')
    start, end = _seconds(*found.groups()[:4]), _seconds(*found.groups()[4:])
    if start > end:
        raise DataError(f'{where}: ends before it begins: {line.strip()!r}')
    return start, end


def _seconds(hours: str | None, minutes: str, seconds: str, part: str) -> float:
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return round(whole + int(part.ljust(3, '0')) / 1000, 3)


def _clock(seconds: float, point: str) -> str:
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}'
