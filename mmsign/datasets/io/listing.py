"""What lies in a folder, and in which order frames follow one another."""

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from mmsign.errors import FrameReadError

_ARCHIVE = re.compile(r'(.*\.zip)(?:@(.*))?', re.IGNORECASE | re.DOTALL)
_STRETCH = re.compile(r'(.+)#t=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)', re.DOTALL)
# A decimal number; of '1.2.3' nothing is one.
_DECIMAL = re.compile(r'(?<![\d.])(\d+)\.(\d+)(?![\d]|\.\d)')
# By so much frames' numbers rise where others were left out; by more, they are times.
_LEFT_OUT = {2: 'twos', 3: 'threes', 4: 'fours', 5: 'fives'}


def split_archive(spec: str) -> tuple[str, str] | None:
    """(archive, folder inside) of ``ARCHIVE.zip@FOLDER``; None of other specs.

    Examples:
        >>> split_archive('corpus.zip@train/a'), split_archive('corpus/a')
        (('corpus.zip', 'train/a'), None)
    """
    found = _ARCHIVE.fullmatch(spec)
    return None if found is None else (found[1], found[2] or '')


def stretch_of(video: str, start: float, end: float) -> str:
    """``VIDEO#t=START,END``: what of a video is shown from one second to another, as
    the W3C writes fragments of media.

    Examples:
        >>> stretch_of('rec.mp4', 1.2, 3)
        'rec.mp4#t=1.2,3'
    """
    times = (f'{time:.6f}'.rstrip('0').rstrip('.') for time in (start, end))
    return f'{video}#t={",".join(times)}'


def split_stretch(spec: str) -> tuple[str, float, float] | None:
    """(video, start, end) of ``VIDEO#t=START,END``, in seconds; None of other specs,
    and of a file that is really called so.

    Examples:
        >>> split_stretch('rec.mp4#t=1.2,3'), split_stretch('rec.mp4')
        (('rec.mp4', 1.2, 3.0), None)
    """
    found = _STRETCH.fullmatch(spec)
    if found is None or os.path.lexists(spec):
        return None
    return found[1], float(found[2]), float(found[3])


def video_of(spec: str) -> str:
    """The video that a spec names, be it a stretch of it or all; else the spec."""
    found = split_stretch(spec)
    return spec if found is None else found[0]


def existing(path: str) -> str:
    """A path as the file system has it, which may be in another form of Unicode.

    macOS decomposes letters in names; annotations, and other systems, compose them.
    """
    if os.path.lexists(path):
        return path
    parent, name = os.path.split(path)
    parent = existing(parent) if parent not in ('', path) else parent
    for form in ('NFC', 'NFD'):
        found = os.path.join(parent, unicodedata.normalize(form, name))
        if os.path.lexists(found):
            return found
    return path


def files_under(root: str | os.PathLike) -> Iterator[Path]:
    """Files at any depth, in a fixed order.

    What is hidden, or macOS' own in an unpacked archive, is nobody's file.
    """
    for folder, subfolders, names in os.walk(root):
        hidden = ('.', '__MACOSX')
        subfolders[:] = sorted(n for n in subfolders if not n.startswith(hidden))
        yield from (Path(folder, n) for n in sorted(names) if not n.startswith('.'))


def left_out(files: Iterable, suffixes: Collection[str]) -> str:
    """Say which files are not looked at, and why; empty if none is left out.

    Examples:
        >>> left_out(['a.mp4', 'b.MP4', 'c.doc', 'd.gif'], ['.mp4'])
        '2 file(s) left out, of no kind that is read (.doc, .gif): c.doc, d.gif'
    """
    names = map(os.fspath, files)
    others = [name for name in names if not name.lower().endswith(tuple(suffixes))]
    if not others:
        return ''
    shown = ', '.join(others[:3]) + ', …' * (len(others) > 3)
    kinds = sorted({os.path.splitext(n)[1].lower() or 'no suffix' for n in others})
    kinds = ', '.join(kinds[:8])
    return f'{len(others)} file(s) left out, of no kind that is read ({kinds}): {shown}'


def in_order(names: Iterable[str], spec: str) -> list[str]:
    """Names of frames in the order of the numbers in them: ``f2`` before ``f10``.

    Numbers with a point are decimal, such as seconds, unless they count on as whole
    numbers behind it: ``cam1.9`` before ``cam1.10``, but ``t1.5`` after ``t1.25``.

    Args:
        names: File names, with suffix.
        spec: Where they are, for the error.

    Raises:
        FrameReadError: Naming both, if two are the same frame: ``1.png``, ``1.jpg``.

    Examples:
        >>> in_order(['t0.1.png', 't0.04.png', 't0.08.png'], 'clip')
        ['t0.04.png', 't0.08.png', 't0.1.png']
    """
    names = sorted(names)
    if names and _counters(names) is not None:
        return names
    stems = {name: os.path.splitext(name)[0] for name in names}
    decimal = _are_decimal(list(stems.values()))
    keys = {name: _key(stem, decimal) for name, stem in stems.items()}
    ordered = sorted(stems, key=lambda name: (keys[name], name))
    for name, following in zip(ordered, ordered[1:]):
        if keys[name] == keys[following]:
            text = f'{name} and {following} are the same frame by their names'
            raise FrameReadError(f'{spec}: {text}; remove one of each')
    return ordered


def skipped(names: Sequence[str]) -> str:
    """Whether frames are missing, by the one number that counts in their names.

    Args:
        names: In order, with suffix.

    Returns:
        What is missing, in words; empty if nothing is, or nothing can be told: the
        names differ in more than a number, or in one with a point.

    Examples:
        >>> skipped(['f1.png', 'f2.png', 'f5.png'])
        '2 frames are missing by their numbers, the first behind f2.png'
        >>> skipped(['f1.png', 'f3.png', 'f5.png'])[:46]
        'the frames are numbered by twos: if others wer'
        >>> skipped(['0ms.png', '33ms.png', '67ms.png', '100ms.png'])
        ''
    """
    numbers = _numbers(names)
    if numbers is None:
        return ''
    steps = [after - before for before, after in pairwise(numbers)]
    usual = sorted(steps)[(len(steps) - 1) // 2] if steps else 0
    lost = [max(0, round(step / usual) - 1) for step in steps]
    if count := sum(lost):
        first = names[next(index for index, some in enumerate(lost) if some)]
        are = 'frame is' if count == 1 else 'frames are'
        return f'{count} {are} missing by their numbers, the first behind {first}'
    if usual in _LEFT_OUT and {*steps} == {usual}:
        every = _LEFT_OUT[usual]
        return (
            f'the frames are numbered by {every}: if others were left out, state the '
            'rate of those that are there (fps)'
        )
    return ''


def _counters(names: Sequence[str]) -> list[int] | None:
    """The one number in names that differs, where all are equally long, as of most
    clips: quickly found. It may lack digits that all begin with.
    """
    alike = len(os.path.commonprefix((min(names), max(names))))
    tail = names[0][alike:].lstrip('0123456789')
    width = len(names[0])
    if any(len(name) != width or not name.endswith(tail) for name in names):
        return None
    found = [name[alike : width - len(tail)] for name in names]
    different = len({*found}) == len(found) and all(map(str.isdecimal, found))
    return list(map(int, found)) if different else None


def _numbers(names: Sequence[str]) -> list[int] | None:
    """The one number in names that differs; None if more does, or one has a point."""
    stems = [os.path.splitext(name)[0] for name in names]
    if any(map(_DECIMAL.search, stems)):
        return None
    numbers = _counters(names) if names else None
    if numbers is not None:
        return numbers
    parts = [re.split(r'(\d+)', stem) for stem in stems]
    if len({*map(len, parts)}) != 1:
        return None
    columns = [column for column in zip(*parts) if len({*column}) > 1]
    if len(columns) != 1 or not all(map(str.isdecimal, columns[0])):
        return None
    return list(map(int, columns[0]))


def _key(stem: str, decimal: bool) -> list[str | Decimal]:
    """Text and numbers in turn, so that keys compare text with text."""
    # Only a point that is part of a number becomes the character that no name holds.
    marked = _DECIMAL.sub('\\1\0\\2', stem) if decimal else stem
    parts = re.split(r'(\d+(?:\0\d+)?)', marked)
    return [Decimal(p.replace('\0', '.')) if i % 2 else p for i, p in enumerate(parts)]


def _are_decimal(stems: Sequence[str]) -> bool:
    """Whether numbers with a point are decimal, and not counters behind a number."""
    groups: dict[str, list[str]] = {}
    for stem in stems:
        found = _DECIMAL.search(stem) if '.' in stem else None
        if found is not None:
            groups.setdefault(stem[: found.end(1)], []).append(found[2])
    alone = len(groups) == 1 and not next(iter(groups)).endswith('0')
    for fractions in groups.values():
        numbers = sorted(map(int, fractions))
        zeros = any(f[0] == '0' and len(f) > 1 for f in fractions)
        padded = zeros and len(set(map(len, fractions))) > 1
        counted = numbers[-1] - numbers[0] == len(numbers) - 1
        tied = len({f.rstrip('0') for f in fractions}) < len(set(fractions))
        if padded or not (counted or tied or alone):
            return True
    return False
