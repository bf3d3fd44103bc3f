"""What a picture of a clip over time shows, before it is drawn.

Times are frames of the source video.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmsign.structures import GlossPrediction

from .fonts import LATIN, can_draw
from .labels import Label
from .posteriors import AVERAGE, ClipPosteriors, Span, error_letters, even_spans


@dataclass(frozen=True)
class Scene:
    """All that is drawn of a clip.

    Attributes:
        posteriors: What the outputs say.
        rows: The time from the first to the last, one span per row.
        title: First line.
        remarks: Lines below it.
        reference: Glosses as annotated; None for none.
        predictions: By output, in the order in which they are drawn.
        pictures: (time, images (S, S, 3) uint8 RGB to be stacked) of single frames.
        fps: Frames per second; None counts frames.
        families: Fonts.
    """

    posteriors: ClipPosteriors
    rows: Sequence[Span]
    title: str
    remarks: Sequence[str] = ()
    reference: Sequence[str] | None = None
    predictions: Mapping[str, GlossPrediction] = field(default_factory=dict)
    pictures: Sequence[tuple[float, Sequence[np.ndarray]]] = ()
    fps: float | None = None
    families: tuple[str, ...] = (LATIN,)

    def name(self, gloss: str) -> str:
        """The gloss, or its number where no font has its letters."""
        if can_draw(gloss, self.families):
            return gloss
        index = self.posteriors.index(gloss)
        return '#?' if index is None else f'#{index}'


@dataclass
class Panel:
    """A part of a row: bars in time and names, and for an output its curves."""

    title: str
    note: str
    labels: list[Label]
    bars: list[tuple[Span, str]]
    curves: str | None = None

    def within(self, row: Span, last: bool) -> list[Label]:
        """Its labels in a row, in order of time, remarks last."""
        inside = (
            label
            for label in self.labels
            if row[0] <= label.time and (label.time < row[1] or last)
        )
        return sorted(inside, key=lambda label: (label.faint, label.time))


def time_rows(start: float, end: float, longest: float) -> list[Span]:
    """Equal parts of a clip, each of ``longest`` or up to a quarter more."""
    count = int(np.ceil((end - start) / (1.25 * longest)))
    return even_spans(max(1, count), start, max(end, start + 1))


def picture_times(rows: Sequence[Span], most: int) -> list[float]:
    """The middles of ``most`` equal parts of each row, or of fewer for few frames."""
    return [
        (start + end) / 2
        for row in rows
        for start, end in even_spans(max(1, min(most, int(row[1] - row[0]))), *row)
    ]


def panels(scene: Scene) -> list[Panel]:
    """The reference, if there is one, and every output; of one output no average."""
    outputs = list(scene.posteriors.probabilities)
    if len(outputs) == 2 and AVERAGE in outputs:
        outputs.remove(AVERAGE)
    return [*_reference(scene), *(_output(scene, name) for name in outputs)]


def _reference(scene: Scene) -> list[Panel]:
    if scene.reference is None:
        return []
    spans, note = scene.posteriors.reference_spans(scene.reference), 'aligned'
    if spans is None:
        start, end = scene.rows[0][0], scene.rows[-1][1]
        spans, note = even_spans(len(scene.reference), start, end), 'order only'
    labels = [
        Label(scene.name(gloss), (start + end) / 2, gloss)
        for gloss, (start, end) in zip(scene.reference, spans)
    ]
    return [Panel('reference', note, labels, list(zip(spans, scene.reference)))]


def _output(scene: Scene, output: str) -> Panel:
    posteriors, found = scene.posteriors, scene.predictions.get(output)
    if found is None:
        return Panel(output, '', [], [], output)
    letters = [''] * len(found.glosses)
    note = ''
    if scene.reference is not None:
        letters = error_letters(scene.reference, found.glosses)
        missed = len(scene.reference) - len(letters) + letters.count('I')
        counts = letters.count('S'), missed, letters.count('I')
        note = 'S {}  D {}  I {}'.format(*counts)
    labels = [
        Label(
            scene.name(gloss) + (f' [{letter}]' if letter else ''),
            (start + end) / 2,
            gloss,
            bool(letter),
        )
        for gloss, (start, end), letter in zip(found.glosses, found.spans, letters)
    ]
    for gloss in posteriors.prominent(output, ()):
        spans = [s for g, s in zip(found.glosses, found.spans) if g == gloss]
        for time, height in posteriors.undecoded_peaks(output, gloss, spans):
            text = f'{scene.name(gloss)} {height:.2f}'
            labels.append(Label(text, time, gloss, faint=True))
    return Panel(output, note, labels, list(zip(found.spans, found.glosses)), output)
