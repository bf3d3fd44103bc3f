"""ELAN's annotation files (``.eaf``, EAF 2.7 to 3.0): tiers of timed annotations.

An annotation has times of its own (two slots of the file's time order), or it has not:
a slot may lack its time, and an annotation may refer to one of a parent tier. Such get
the times at which ELAN shows them: what lies between two known times is divided evenly,
a parent's time among its children (symbolic subdivision; an association has one child).

The files are read with the standard library's parser, which is told to refuse document
types and with them entities; times are whole milliseconds, here in seconds.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from mmsign.errors import DataError, explain
from mmsign.timing import TimedGloss

_LARGEST = 1 << 28  # bytes; a day of dense annotation has less
_LONGEST = 10**10  # milliseconds: 115 days
_DEEPEST = 50  # tiers below tiers, and elements in elements


@dataclass(frozen=True)
class ElanMedia:
    """A linked video or sound.

    Attributes:
        url: Where it was, such as ``file:///home/ann/rec.mp4``.
        relative_url: Where it is from the file, such as ``./rec.mp4``; may be empty.
        offset: Seconds of it before the file's time 0.
    """

    url: str
    relative_url: str = ''
    offset: float = 0.0


@dataclass(frozen=True)
class ElanTier:
    """A tier.

    Attributes:
        annotations: In order of time; seconds of the file's time. Values as they are
            written, which may be empty.
        participant: Whom it is about; that of its parent if it names none.
        parent: The tier that it refers to, or ''. Where a tier with a parent is
            written, each annotation belongs to the parent's at the same place.
        divided: How many annotations have no times of their own.
    """

    annotations: tuple[TimedGloss, ...] = ()
    participant: str = ''
    parent: str = ''
    divided: int = 0


@dataclass(frozen=True)
class ElanFile:
    """What is in a file.

    Attributes:
        media: Linked files in order; the first is the one whose time is the file's.
        tiers: By name, in order.
    """

    media: tuple[ElanMedia, ...] = ()
    tiers: Mapping[str, ElanTier] = field(default_factory=dict)


class _Annotation(NamedTuple):
    tier: str
    value: str
    slots: tuple[str, str] | None
    parent: str
    previous: str


def read_elan(path: str | os.PathLike) -> ElanFile:
    """Read a file.

    Raises:
        DataError: Naming it, if it cannot be read, is no annotation document, is
            broken, or an annotation's time cannot be told.
    """
    text = f'{path}: no annotation file of ELAN, can ELAN open it?'
    broken = OSError, ValueError, expat.ExpatError
    with (
        explain(DataError, f'{text} It lacks', KeyError),
        explain(DataError, text, *broken),
    ):
        root = _parse(Path(path))
        header = root.find('HEADER')
        units = 'milliseconds' if header is None else header.get('TIME_UNITS')
        if units not in (None, 'milliseconds'):
            raise ValueError(f'time in {units}, expected milliseconds')
        slots = _once(
            (slot.attrib['TIME_SLOT_ID'], _milliseconds(slot.get('TIME_VALUE')))
            for slot in root.iterfind('TIME_ORDER/TIME_SLOT')
        )
        found = _once(_annotations(root))
        spans = _spans(found, slots)
        return ElanFile(tuple(map(_media, _media_elements(root))), _tiers(root, spans))


def _parse(path: Path) -> Element:
    if path.stat().st_size > _LARGEST:
        raise ValueError(f'more than {_LARGEST >> 20} MiB')
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError('elements in elements, too deep')
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_) -> None:
        raise ValueError('it declares a document type, which ELAN never does')

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    with explain(DataError, f'{path}: in an encoding that is none', LookupError):
        parser.Parse(path.read_bytes(), True)
    root = builder.close()
    if root.tag != 'ANNOTATION_DOCUMENT':
        raise ValueError(f'it begins with <{root.tag}>, not <ANNOTATION_DOCUMENT>')
    return root


def _once(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What is called by a name, of which another would be lost silently."""
    found: dict[str, Any] = {}
    for name, value in named:
        if name in found:
            raise ValueError(f'{name!r} is there twice')
        found[name] = value
    return found


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not 0 <= int(text) <= _LONGEST:
        raise ValueError(f'{text[:20]} is no time in milliseconds')
    return int(text)


def _media_elements(root: Element) -> Iterator[Element]:
    return root.iterfind('HEADER/MEDIA_DESCRIPTOR')


def _media(element: Element) -> ElanMedia:
    offset = (_milliseconds(element.get('TIME_ORIGIN')) or 0) / 1000
    return ElanMedia(
        element.get('MEDIA_URL', ''), element.get('RELATIVE_MEDIA_URL', ''), offset
    )


def _annotations(root: Element) -> Iterator[tuple[str, _Annotation]]:
    for tier in root.iterfind('TIER'):
        name = tier.attrib['TIER_ID']
        for one in tier.iterfind('ANNOTATION/*'):
            value = one.findtext('ANNOTATION_VALUE') or ''
            slots = None
            if one.tag == 'ALIGNABLE_ANNOTATION':
                slots = one.attrib['TIME_SLOT_REF1'], one.attrib['TIME_SLOT_REF2']
            parent = '' if slots else one.attrib['ANNOTATION_REF']
            previous = one.get('PREVIOUS_ANNOTATION', '')
            annotation = _Annotation(name, value, slots, parent, previous)
            yield one.attrib['ANNOTATION_ID'], annotation


def _spans(
    found: Mapping[str, _Annotation], slots: Mapping[str, int | None]
) -> dict[str, list[tuple[TimedGloss, bool]]]:
    """Annotations of each tier with their times, and whether these are divided."""
    place = {slot: number for number, slot in enumerate(slots)}
    aligned, children = defaultdict(list), defaultdict(list)
    for name, one in found.items():
        if one.slots is None:
            children[one.parent, one.tier].append(name)
        else:
            aligned[one.tier].append(name)
    times: dict[str, tuple[float, float, bool]] = {}
    for names in aligned.values():
        names.sort(key=lambda name: [place[slot] for slot in found[name].slots])
        known = _filled([s for name in names for s in found[name].slots], slots)
        for name in names:
            start, end = found[name].slots
            own = slots[start] is not None and slots[end] is not None
            times[name] = known[start], known[end], not own
    # Parents before children, whatever their order in the file.
    waiting = dict(children)
    for _ in range(_DEEPEST):
        for (parent, tier), names in list(waiting.items()):
            if parent in times:
                start, end, _ = times[parent]
                part = (end - start) / len(names)
                # One ends where the next begins, to the last digit.
                edges = [start + number * part for number in range(len(names))]
                spans = pairwise([*edges, end])
                for name, span in zip(_in_order(names, found), spans):
                    times[name] = *span, True
                del waiting[parent, tier]
        if not waiting:
            break
    if waiting:
        parent, tier = next(iter(waiting))
        raise ValueError(f'tier {tier!r} refers to {parent!r}, which has no time')
    tiers = defaultdict(list)
    for name, one in found.items():
        start, end = (round(time) for time in times[name][:2])
        if start > end:
            where = f'{one.value!r} of tier {one.tier!r}'
            raise ValueError(f'{where} ends at {end} ms, before its start, {start} ms')
        timed = TimedGloss(one.value, start / 1000, (end - start) / 1000)
        tiers[one.tier].append((timed, times[name][2]))
    return tiers


def _filled(
    order: Sequence[str], slots: Mapping[str, int | None]
) -> dict[str, float | int]:
    """Times of a tier's slots; those without one lie evenly between their neighbours.

    Args:
        order: The slots in the order of the annotations, which may share them.
    """
    order = list(dict.fromkeys(order))
    known = [place for place, slot in enumerate(order) if slots[slot] is not None]
    filled = {slot: slots[slot] for slot in order}
    ends = {0, len(order) - 1}
    if not ends <= set(known):
        raise ValueError('the first or last annotation of a tier has no time')
    for before, after in zip(known, known[1:]):
        start, end = slots[order[before]], slots[order[after]]
        for place in range(before + 1, after):
            share = (place - before) / (after - before)
            filled[order[place]] = start + share * (end - start)
    return filled


def _in_order(names: list[str], found: Mapping[str, _Annotation]) -> list[str]:
    """Children of a parent, each behind the one that it names as previous."""
    following = {found[name].previous: name for name in names}
    first = [name for name in names if found[name].previous not in names]
    ordered = first[:1]
    while ordered and (name := following.get(ordered[-1])) and name not in ordered:
        ordered.append(name)
    return ordered if len(ordered) == len(names) else names


def _tiers(root: Element, spans: Mapping[str, list]) -> dict[str, ElanTier]:
    elements = {tier.attrib['TIER_ID']: tier for tier in root.iterfind('TIER')}
    tiers = {}
    for name, element in elements.items():
        annotations = sorted(spans.get(name, ()), key=lambda one: one[0].start)
        above, participant = element, ''
        for _ in range(_DEEPEST):
            participant = participant or above.get('PARTICIPANT', '').strip()
            above = elements.get(above.get('PARENT_REF', ''))
            if above is None:
                break
        tiers[name] = ElanTier(
            tuple(timed for timed, _ in annotations),
            participant,
            element.get('PARENT_REF', ''),
            sum(divided for _, divided in annotations),
        )
    return tiers
