"""Write ELAN's annotation files (``.eaf``, EAF 3.0)."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mmsign.errors import DataError
from mmsign.files import replacing
from mmsign.timing import TimedGloss

from .elan import ElanFile, ElanMedia

_SCHEMA = 'http://www.mpi.nl/tools/elan/EAFv3.0.xsd'
_FREE, _CHILD = 'default-lt', 'association'
# Every file of ELAN says what its constraints mean.
_CONSTRAINTS = {
    'Time_Subdivision': "Time subdivision of parent annotation's time interval, no "
    'time gaps allowed within this interval',
    'Symbolic_Subdivision': 'Symbolic subdivision of a parent annotation. Annotations '
    'refering to the same parent are ordered',
    'Symbolic_Association': '1-1 association with a parent annotation',
    'Included_In': "Time alignable annotations within the parent annotation's time "
    'interval, gaps are allowed',
}
_ILLEGIBLE = {*map(chr, range(32))} - {'\t', '\n', '\r'} | {'\ufffe', '\uffff'}


def media_of(video: str | os.PathLike, eaf: str | os.PathLike) -> ElanMedia:
    """The link to a video from a file that is to be written.

    Examples:
        >>> media_of('videos/rec.mp4', 'rec.eaf').relative_url
        './videos/rec.mp4'
    """
    path = Path(os.path.abspath(video))
    url = 'file://' + '/' * (not path.as_posix().startswith('/')) + path.as_posix()
    relative = ''
    try:
        relative = os.path.relpath(path, Path(os.path.abspath(eaf)).parent)
    except ValueError:  # another drive of Windows
        return ElanMedia(_text(url))
    relative = Path(relative).as_posix()
    if not relative.startswith('../'):
        relative = f'./{relative}'
    return ElanMedia(_text(url), _text(relative))


def in_succession(annotations: Sequence[TimedGloss]) -> tuple[TimedGloss, ...]:
    """Annotations as a tier can hold them: in whole milliseconds, at least one long,
    none over the next.

    Where two overlap the former ends early; the start of the latter stays, unless it
    has no room otherwise.

    Examples:
        >>> given = TimedGloss('A', 0.0, 0.48), TimedGloss('B', 0.44, 0.4)
        >>> [(one.start, one.end) for one in in_succession(given)]
        [(0.0, 0.44), (0.44, 0.84)]
    """
    ordered = sorted(annotations, key=lambda one: one.start)
    starts, free = [], 0
    for one in ordered:
        starts.append(max(round(1000 * one.start), free))
        free = starts[-1] + 1
    ends = [max(round(1000 * one.end), s + 1) for one, s in zip(ordered, starts)]
    ends = [min(pair) for pair in zip(ends, [*starts[1:], *ends[-1:]])]
    return tuple(
        TimedGloss(one.symbol, start / 1000, (end - start) / 1000, one.score)
        for one, start, end in zip(ordered, starts, ends)
    )


def write_elan(path: str | os.PathLike, file: ElanFile) -> None:
    """Write a file; it appears complete or not at all. Scores are not written.

    Args:
        path: ``.eaf``.
        file: Times in whole milliseconds, as ``in_succession`` makes them. A tier
            with a parent has an annotation for each of the parent's.

    Raises:
        DataError: If a tier's annotations overlap or do not fit their parent's, or a
            text has characters that XML cannot hold; nothing is written.

    Examples:
        >>> from mmsign.interop.elan import ElanFile, ElanTier, read_elan
        >>> rain = TimedGloss('REGEN', 0.48, 0.16)
        >>> write_elan('rec.eaf', ElanFile(tiers={'GLOSS': ElanTier((rain,), 'Ann')}))
        >>> read_elan('rec.eaf').tiers['GLOSS'].participant
        'Ann'
    """
    now = datetime.now(timezone.utc).isoformat(timespec='seconds')
    root = Element(
        'ANNOTATION_DOCUMENT',
        {
            'AUTHOR': '',
            'DATE': now,
            'FORMAT': '3.0',
            'VERSION': '3.0',
            'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
            'xsi:noNamespaceSchemaLocation': _SCHEMA,
        },
    )
    header = SubElement(root, 'HEADER', MEDIA_FILE='', TIME_UNITS='milliseconds')
    for media in file.media:
        _add_media(header, media)
    last = SubElement(header, 'PROPERTY', NAME='lastUsedAnnotationId')
    last.text = str(sum(len(tier.annotations) for tier in file.tiers.values()))
    _add_tiers(root, file, SubElement(root, 'TIME_ORDER'))
    free = dict(GRAPHIC_REFERENCES='false', TIME_ALIGNABLE='true')
    SubElement(root, 'LINGUISTIC_TYPE', free, LINGUISTIC_TYPE_ID=_FREE)
    child = free | dict(TIME_ALIGNABLE='false', CONSTRAINTS='Symbolic_Association')
    SubElement(root, 'LINGUISTIC_TYPE', child, LINGUISTIC_TYPE_ID=_CHILD)
    for name, text in _CONSTRAINTS.items():
        SubElement(root, 'CONSTRAINT', STEREOTYPE=name, DESCRIPTION=text)
    ElementTree.indent(root, '    ')
    for element in root.iter():
        for text in (element.text or '', *element.attrib.values()):
            if not _ILLEGIBLE.isdisjoint(text) or text != _text(text):
                raise DataError(f'{path}: {text!r} cannot be written as XML')
    with replacing(path) as out:
        ElementTree.ElementTree(root).write(out, 'UTF-8', xml_declaration=True)
        out.write(b'\n')


def _text(name: str) -> str:
    """A name of a file that is no text with its bytes escaped, as in a URL."""
    legible = name == name.encode(errors='ignore').decode()
    return name if legible else quote(os.fsencode(name), safe='/:')


def _add_media(header: Element, media: ElanMedia) -> None:
    kind, _ = mimetypes.guess_type(media.url)
    attributes = dict(MEDIA_URL=media.url, MIME_TYPE=kind or 'unknown')
    if media.relative_url:
        attributes['RELATIVE_MEDIA_URL'] = media.relative_url
    if media.offset:
        attributes['TIME_ORIGIN'] = str(round(1000 * media.offset))
    SubElement(header, 'MEDIA_DESCRIPTOR', attributes)


def _add_tiers(root: Element, file: ElanFile, order: Element) -> None:
    names = (f'a{number}' for number in count(1))
    ids: dict[str, list[str]] = {}
    slots: list[tuple[int, Element, str]] = []
    for name, tier in file.tiers.items():
        element = SubElement(root, 'TIER', TIER_ID=name)
        element.set('LINGUISTIC_TYPE_REF', _CHILD if tier.parent else _FREE)
        if tier.participant:
            element.set('PARTICIPANT', tier.participant)
        ids[name] = [next(names) for _ in tier.annotations]
        parents = ids.get(tier.parent, []) if tier.parent else []
        if tier.parent:
            element.set('PARENT_REF', tier.parent)
            if len(parents) != len(tier.annotations):
                counts = f'{len(tier.annotations)} annotations, {len(parents)}'
                raise DataError(
                    f'tier {name!r}: {counts} in its parent {tier.parent!r}'
                )
        free = 0
        for number, one in enumerate(tier.annotations):
            around = SubElement(element, 'ANNOTATION')
            own = dict(ANNOTATION_ID=ids[name][number])
            if tier.parent:
                own['ANNOTATION_REF'] = parents[number]
                inner = SubElement(around, 'REF_ANNOTATION', own)
            else:
                inner = SubElement(around, 'ALIGNABLE_ANNOTATION', own)
                start, end = round(1000 * one.start), round(1000 * one.end)
                if not free <= start < end:
                    raise DataError(
                        f'tier {name!r}: {one.symbol!r}, {start} to {end} ms, is empty '
                        'or begins before the one before is over'
                    )
                free = end
                slots.append((start, inner, 'TIME_SLOT_REF1'))
                slots.append((end, inner, 'TIME_SLOT_REF2'))
            SubElement(inner, 'ANNOTATION_VALUE').text = one.symbol
    # Each annotation has slots of its own, in the order of time.
    for number, (time, inner, key) in enumerate(sorted(slots, key=lambda s: s[0]), 1):
        SubElement(order, 'TIME_SLOT', TIME_SLOT_ID=f'ts{number}', TIME_VALUE=str(time))
        inner.set(key, f'ts{number}')
