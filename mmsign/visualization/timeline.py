"""What a picture of a clip over time shows, before it is drawn.

Times are in the unit that the caller counts in: seconds, or frames of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmsign.evaluation.wer import align_words, operation
from mmsign.structures import TimedGloss

from .clip_view import ClipView
from .fonts import LATIN, can_draw
from .posteriors import AVERAGE, ClipPosteriors, Span

FRAMES_PER_ROW = 14
# One colour per gloss (Okabe and Ito 2008): told apart by colour-blind eyes as well;
# when all are used up, the lines change.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00')
LINES = ('-', '--', '-.', ':')


@dataclass(frozen=True)
class Timeline:
    """All that is drawn of a clip.

    Attributes:
        title: First line.
        span: (start, end) of the clip.
        glosses: What is recognized by each output, in the order of drawing.
        unit: Of all times, as the axis names it.
        longest: Of a row; longer clips are broken into several.
        posteriors: What the outputs say step by step, if known.
        reference: Glosses as annotated, which have no times; None for none.
        remarks: Lines below the title.
        view: Frames to be shown, if any.
        times: (T,) the middles of the view's frames.
        families: Fonts.
    """

    title: str
    span: Span
    glosses: Mapping[str, Sequence[TimedGloss]] = field(default_factory=dict)
    unit: str = 'seconds'
    longest: float = 8.0
    posteriors: ClipPosteriors | None = None
    reference: Sequence[str] | None = None
    remarks: Sequence[str] = ()
    view: ClipView | None = None
    times: Sequence[float] = ()
    families: tuple[str, ...] = (LATIN,)

    @property
    def rows(self) -> list[Span]:
        """Equal parts, each of ``longest`` or up to a quarter more."""
        start, end = self.span
        count = int(np.ceil((end - start) / (1.25 * self.longest)))
        return even_spans(max(1, count), start, end if end > start else start + 1)

    def name(self, gloss: str) -> str:
        """The gloss, or its number where no font has its letters."""
        if can_draw(gloss, self.families):
            return gloss
        index = None if self.posteriors is None else self.posteriors.index(gloss)
        return '#?' if index is None else f'#{index}'

    def frames(self, row: Span) -> dict[float, int]:
        """Where in a row frames are shown, and which: the nearest ones."""
        if not self.view:
            return {}
        times = np.asarray(self.times)
        within = int(((row[0] <= times) & (times < row[1])).sum())
        places = even_spans(max(1, min(FRAMES_PER_ROW, within)), *row)
        middles = [(start + end) / 2 for start, end in places]
        return {time: int(np.abs(times - time).argmin()) for time in middles}


@dataclass(frozen=True)
class Label:
    """A name at a time.

    Attributes:
        gloss: Whose colour it has.
        text: What is written.
        span: What it is about.
        wrong: Whether it stands for an error.
        faint: Whether it is a remark only, and its span not shown.
    """

    gloss: str
    text: str
    span: Span
    wrong: bool = False
    faint: bool = False

    @property
    def time(self) -> float:
        """The middle of its span."""
        return sum(self.span) / 2


@dataclass(frozen=True)
class Panel:
    """A part of a row: glosses in time, over an output's curves if they are known."""

    title: str
    note: str
    labels: list[Label]
    curves: bool = False

    def within(self, row: Span, last: bool) -> list[Label]:
        """Its labels in a row, in order of time, remarks last."""
        inside = (
            label
            for label in self.labels
            if row[0] <= label.time and (label.time < row[1] or last)
        )
        return sorted(inside, key=lambda label: (label.faint, label.time))


def panels(timeline: Timeline) -> list[Panel]:
    """The reference, if there is one, and every output; of one output no average."""
    posteriors = timeline.posteriors
    outputs = list(timeline.glosses if posteriors is None else posteriors.probabilities)
    if len(outputs) == 2 and AVERAGE in outputs:
        outputs.remove(AVERAGE)
    found = [_output(timeline, name) for name in outputs]
    return found if timeline.reference is None else [_reference(timeline), *found]


def _reference(timeline: Timeline) -> Panel:
    glosses, posteriors = timeline.reference, timeline.posteriors
    spans = None if posteriors is None else posteriors.reference_spans(glosses)
    note = 'order only' if spans is None else 'aligned'
    spans = even_spans(len(glosses), *timeline.span) if spans is None else spans
    labels = [Label(g, timeline.name(g), span) for g, span in zip(glosses, spans)]
    return Panel('reference', note, labels)


def _output(timeline: Timeline, output: str) -> Panel:
    posteriors, glosses = timeline.posteriors, timeline.glosses.get(output)
    found, note = glosses or (), ''
    letters = ['C'] * len(found)
    if glosses is not None and timeline.reference is not None:
        pairs = align_words(timeline.reference, [gloss.symbol for gloss in found])
        letters = [operation(pair) for pair in pairs]
        note = '  '.join(f'{letter} {letters.count(letter)}' for letter in 'SDI')
        letters = [letter for letter in letters if letter != 'D']
    labels = []
    for gloss, letter in zip(found, letters):
        wrong, span = letter != 'C', (gloss.start, gloss.end)
        text = timeline.name(gloss.symbol) + f' [{letter}]' * wrong
        labels.append(Label(gloss.symbol, text, span, wrong))
    if posteriors is None:
        return Panel(output, note, labels)
    for gloss in () if glosses is None else posteriors.prominent(output):
        decoded = [(g.start, g.end) for g in found if g.symbol == gloss]
        for time, height in posteriors.undecoded_peaks(output, gloss, decoded):
            text = f'{timeline.name(gloss)} {height:.2f}'
            labels.append(Label(gloss, text, (time, time), faint=True))
    return Panel(output, note, labels, curves=True)


def even_spans(count: int, start: float, end: float) -> list[Span]:
    """``count`` equal parts of the time from ``start`` to ``end``."""
    edges = np.linspace(start, end, count + 1).tolist()
    return list(zip(edges[:-1], edges[1:]))


def pack(
    middles: Sequence[float], widths: Sequence[float], room: float, gap: float = 0.08
) -> list[tuple[int, float]]:
    """Give each label the lowest lane in which it overlaps none of those before it.

    Args:
        middles: Where the labels would be centred, in inches; first come, first served.
        widths: Of the labels.
        room: Width of the whole; labels are moved to stay inside.
        gap: Least distance between two labels.

    Returns:
        (lane, left edge in inches) of each; lane 0 is the lowest.
    """
    places, lanes = [], []
    for middle, width in zip(middles, widths, strict=True):
        left = max(0.0, min(middle - width / 2, room - width))
        right = left + width + gap
        free = (
            number
            for number, lane in enumerate(lanes)
            if all(right <= a or b <= left for a, b in lane)
        )
        number = next(free, len(lanes))
        lanes[number:] = lanes[number:] or [[]]
        lanes[number].append((left, right))
        places.append((number, left))
    return places


def colours_of(glosses: Iterable[str]) -> dict[str, tuple[str, str]]:
    """A colour and a kind of line for each gloss, by order of appearance."""
    return {
        gloss: (
            COLOURS[number % len(COLOURS)],
            LINES[number // len(COLOURS) % len(LINES)],
        )
        for number, gloss in enumerate(dict.fromkeys(glosses))
    }
