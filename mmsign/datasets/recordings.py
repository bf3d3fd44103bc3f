"""Cut annotated recordings into a corpus for ``SignFolderDataset``: a manifest whose
clips are stretches of the videos.

A clip is called by its recording and its times in milliseconds, such as
``rec-0012340-0015870``: annotations that are added later rename no other clip, and a
clip whose times are corrected is another one, for which keypoints of the old times are
not taken.
"""

from __future__ import annotations

import fnmatch
import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mmsign.errors import ConfigError, DataError
from mmsign.interop.elan import ElanFile, ElanTier
from mmsign.timing import TimedGloss

from .clip_names import is_legible
from .io.recording_files import RecordedVideo


@dataclass(frozen=True)
class Sentence:
    """A clip of a recording; times in seconds of its video.

    Attributes:
        start, end: Of the clip.
        glosses: In order of time; not those of other clips.
        text: The sentence, or ''.
    """

    start: float
    end: float
    glosses: tuple[TimedGloss, ...] = ()
    text: str = ''


def tier_of(file: ElanFile, name: str) -> ElanTier:
    """A tier by its name.

    Raises:
        DataError: If there is none, with those that there are; or if two of its
            annotations overlap: which gloss came first cannot be told.
    """
    if name not in file.tiers:
        there = ', '.join(
            f'{other!r} ({len(tier.annotations)} annotations)'
            for other, tier in file.tiers.items()
        )
        raise DataError(f'no tier {name!r}; there are: {there or "none"}')
    annotations = file.tiers[name].annotations
    for one, following in zip(annotations, annotations[1:]):
        if following.start < one.end:
            raise DataError(
                f'tier {name!r}: {_shown(one)} and {_shown(following)} overlap; '
                'correct one of them in ELAN'
            )
    return file.tiers[name]


def glosses_of(tier: ElanTier, notices: list[str]) -> list[TimedGloss]:
    """A tier's annotations as glosses, which have no white space inside.

    What is empty is left out, white space within becomes ``_``; both are noticed.

    Raises:
        DataError: If a gloss is not legible.
    """
    named = []
    for one in tier.annotations:
        symbol = '_'.join(one.symbol.split())
        if symbol and not is_legible(symbol):
            raise DataError(f'{_shown(one)} is no legible gloss')
        named.append(TimedGloss(symbol, one.start, one.duration))
    empty = [one for one in named if not one.symbol]
    if empty:
        first = f'the first at {empty[0].start:.3f} s'
        notices.append(f'{len(empty)} empty annotations left out, {first}')
    spaced = [one for one in tier.annotations if len(one.symbol.split()) > 1]
    if spaced:
        first = _shown(spaced[0])
        notices.append(
            f"{len(spaced)} glosses with spaces, written with '_': first {first}"
        )
    if tier.divided:
        notices.append(
            f'{tier.divided} annotations have no times of their own: they share those '
            'around them evenly, as ELAN shows them'
        )
    return [one for one in named if one.symbol]


def shifted(annotations: Iterable[TimedGloss], offset: float) -> list[TimedGloss]:
    """Annotations that count from another moment, ``offset`` seconds earlier."""
    return [
        TimedGloss(one.symbol, round(one.start + offset, 3), one.duration)
        for one in annotations
    ]


def at_pauses(
    glosses: Sequence[TimedGloss], pause: float, length: float
) -> list[Sentence]:
    """Sentences between pauses of at least ``pause`` seconds without a gloss.

    A sentence takes up to half a pause before its first and behind its last gloss:
    hands that rise and sink; so no two share a frame.

    Args:
        glosses: In order of time, without overlaps.
        pause: Seconds, more than 0.
        length: Of the video in seconds.

    Examples:
        >>> rain, sun = TimedGloss('RAIN', 1.0, 0.5), TimedGloss('SUN', 3.0, 0.5)
        >>> found = at_pauses([rain, sun], pause=1.0, length=3.75)
        >>> [(clip.start, clip.end) for clip in found]
        [(0.5, 2.0), (2.5, 3.75)]
    """
    groups: list[list[TimedGloss]] = []
    for one in glosses:
        # Whole milliseconds: a pause of just so many seconds is one.
        if not groups or round(one.start - groups[-1][-1].end, 3) >= pause:
            groups.append([])
        groups[-1].append(one)
    return [
        Sentence(
            round(max(0.0, group[0].start - pause / 2), 3),
            round(max(min(group[-1].end + pause / 2, length), group[-1].end), 3),
            tuple(group),
        )
        for group in groups
    ]


def in_sentences(
    glosses: Sequence[TimedGloss], texts: Iterable[TimedGloss], notices: list[str]
) -> list[Sentence]:
    """Sentences as a tier of texts has them; a gloss is in the one in which its middle
    lies.

    Glosses outside of all are left out, and so are sentences without a gloss, which
    nobody has annotated yet, and would teach that nothing is signed there. Both are
    noticed.
    """
    sentences = []
    middles = [one.start + one.duration / 2 for one in glosses]
    for text in texts:
        first, last = (bisect_left(middles, edge) for edge in (text.start, text.end))
        inside = tuple(glosses[first:last])
        said = ' '.join(text.symbol.split())
        sentences.append(Sentence(text.start, text.end, inside, said))
    taken = {one for sentence in sentences for one in sentence.glosses}
    outside = [one for one in glosses if one not in taken]
    if outside:
        notices.append(
            f'{len(outside)} glosses outside of every sentence left out, first '
            f'{_shown(outside[0])}'
        )
    bare = [one for one in sentences if not one.glosses]
    if bare:
        notices.append(
            f'{len(bare)} sentences without a gloss left out, the first at '
            f'{bare[0].start:.3f} s'
        )
    return [one for one in sentences if one.glosses]


def within_video(
    sentences: Iterable[Sentence], video: RecordedVideo, notices: list[str]
) -> list[Sentence]:
    """Sentences that end with the video at the latest, and last for a frame or more.

    Args:
        sentences: Of a recording.
        video: Its video.
        notices: Gets what was cut by more than a frame, and what was left out.

    Raises:
        DataError: If a sentence, or a gloss by more than its half, lies behind the end.
    """
    kept, cut, length = [], [], video.length
    for one in sentences:
        late = [g for g in one.glosses if g.start + g.duration / 2 > length]
        if late or one.start >= length:
            what = _shown(late[0]) if late else f'{one.text!r} at {one.start:.3f} s'
            raise DataError(
                f'{what} lies behind the end of the video, {length:.3f} s; is another '
                'one linked, or is it cut short?'
            )
        if one.end > length + video.step:
            cut.append(one)
        kept.append(replace(one, end=min(one.end, length)))
    if cut:
        notices.append(
            f'{len(cut)} clips end behind the video, {length:.3f} s: they are cut there'
        )
    # A millisecond for what was rounded.
    short = [one for one in kept if one.end - one.start + 0.001 < video.step]
    if short:
        notices.append(
            f'{len(short)} clips shorter than a frame left out, the first at '
            f'{short[0].start:.3f} s'
        )
    return [one for one in kept if one not in short]


def split_of(name: str, splits: dict[str, list[str]]) -> str:
    """The split of a recording: the one of which a pattern fits its name, or train.

    Raises:
        ConfigError: If patterns of two splits fit.

    Examples:
        >>> split_of('ben/day2', dict(dev=['ben/*'], test=['ann/day3']))
        'dev'
    """
    found = [
        split
        for split, patterns in splits.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    if len(found) > 1:
        raise ConfigError(f'recording {name!r} would be in {" and ".join(found)}')
    return found[0] if found else 'train'


def manifest_rows(
    name: str,
    video: RecordedVideo,
    sentences: Iterable[Sentence],
    signer: str,
    split: str,
    out: Path,
) -> list[dict[str, str]]:
    """Rows of a recording.

    ``times`` has the start and end of each gloss in seconds of the video, as
    ``12.340-12.760``; the dataset passes it over. ``fps`` is the video's, which is
    asked where there is no video: of packed frames, of keypoints alone.
    """
    path = Path(os.path.realpath(video.path)).as_posix()
    with suppress(ValueError):  # on another drive of Windows it stays absolute
        path = Path(os.path.relpath(path, os.path.realpath(out))).as_posix()
    rows = []
    for one in sentences:
        start, end = round(1000 * one.start), round(1000 * one.end)
        times = (f'{gloss.start:.3f}-{gloss.end:.3f}' for gloss in one.glosses)
        rows.append(
            dict(
                id=f'{name}-{start:07}-{end:07}',
                video=path,
                start=f'{one.start:.3f}',
                end=f'{one.end:.3f}',
                fps='' if video.fps is None else f'{video.fps:.6g}',
                glosses=' '.join(gloss.symbol for gloss in one.glosses),
                text=one.text,
                signer=signer,
                split=split,
                times=' '.join(times),
            )
        )
    return rows


def _shown(one: TimedGloss) -> str:
    return f'{one.symbol!r} at {one.start:.3f}-{one.end:.3f} s'
