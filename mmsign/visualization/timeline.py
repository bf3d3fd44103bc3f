"""What a picture of a clip over time shows, before it is drawn.

Symbols: T' output steps, V gloss classes with the blank. Times are in the unit that
the caller counts in: seconds, or frames of the source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from mmsign.decoding import AVERAGE, align_labellings
from mmsign.errors import DataError
from mmsign.evaluation.wer import align_words, operation
from mmsign.structures import SignDataSample, TimedGloss
from mmsign.vocab import GlossVocabulary

from .clip_view import ClipView
from .fonts import LATIN, can_draw

Span = tuple[float, float]
# Probabilities from which a gloss gets a curve, and from which its peak gets a name.
CURVE_LEAST, PEAK_LEAST = 0.2, 0.3
MOST_CURVES, FRAMES_PER_ROW = 12, 14
# One colour per gloss (Okabe and Ito 2008): told apart by colour-blind eyes as well;
# when all are used up, the lines change.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00')
LINES = ('-', '--', '-.', ':')


@dataclass(frozen=True)
class ClipPosteriors:
    """The probabilities of every gloss and the blank, by output.

    Attributes:
        vocab: Names of the classes.
        probabilities: By output (T', V), valid steps only.
        edges: (T' + 1,) where the steps start and the last one ends.
    """

    vocab: GlossVocabulary
    probabilities: Mapping[str, np.ndarray]
    edges: np.ndarray

    @classmethod
    def of(cls, vocab: GlossVocabulary, sample: SignDataSample) -> 'ClipPosteriors':
        """From the ``log_probs`` and the ``clock`` that a recognizer has written."""
        probabilities = {k: x.exp().numpy() for k, x in sample.log_probs.items()}
        return cls(vocab, probabilities, sample.clock.edges())

    def reference_spans(self, glosses: Sequence[str]) -> list[Span] | None:
        """Where the reference lies on its most probable path.

        The path is that of the average, or of the first output without one.

        Returns:
            (start, end) per gloss; None if CTC has no path for it: a gloss is not in
            the vocabulary, or there are more than steps.
        """
        first = next(iter(self.probabilities.values()))
        with np.errstate(divide='ignore'):
            log_probs = np.log(self.probabilities.get(AVERAGE, first))
        try:
            ids = self.vocab.encode(glosses, '')
            (spans,) = align_labellings([log_probs], [ids], self.vocab.blank_index)
        except DataError:
            return None
        return [(self.edges[start], self.edges[end]) for start, end in spans]

    def prominent(self, output: str, always: Iterable[str] = ()) -> list[str]:
        """Glosses worth a curve: the most probable ones.

        Args:
            output: Name of the output.
            always: Glosses that get one whatever their probability.

        Returns:
            In order of the vocabulary.
        """
        peaks = self.probabilities[output].max(0, initial=0.0)
        chosen = {self.index(gloss) for gloss in always} - {None}
        peaks[[*chosen, self.vocab.blank_index]] = -1
        order = np.argsort(-peaks, kind='stable')[:MOST_CURVES].tolist()
        likely = {index for index in order if peaks[index] >= CURVE_LEAST}
        return self.vocab.decode(sorted(chosen | likely))

    def curve(self, output: str, gloss: str | None) -> np.ndarray:
        """(T',) probabilities of a gloss; of the blank for None."""
        index = self.vocab.blank_index if gloss is None else self.index(gloss)
        return self.probabilities[output][:, index]

    def index(self, gloss: str) -> int | None:
        """Class of a gloss; None if the network does not know it."""
        return self.vocab.encode([gloss], '')[0] if gloss in self.vocab else None

    def undecoded_peaks(
        self, output: str, gloss: str, spans: Sequence[Span]
    ) -> list[tuple[float, float]]:
        """Where a gloss is likely and was not decoded.

        Args:
            output: Name of the output.
            gloss: Of the vocabulary.
            spans: Where it was decoded; peaks that touch one are left out.

        Returns:
            (time of the peak, its probability) in order of time.
        """
        curve = self.curve(output, gloss)
        found = []
        is_high = (curve >= PEAK_LEAST).tolist()
        for high, run in groupby(range(len(curve)), is_high.__getitem__):
            steps = list(run)
            start, end = self.edges[steps[0]], self.edges[steps[-1] + 1]
            if high and not any(a <= end and start <= b for a, b in spans):
                best = max(steps, key=curve.__getitem__)
                middle = self.edges[best : best + 2].mean()
                found.append((float(middle), float(curve[best])))
        return found


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
        pieces: Where it was taken apart to be read, (start, end) of each.
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
    pieces: Sequence[Span] = ()
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


class Label(NamedTuple):
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


class Panel(NamedTuple):
    """A part of a row: glosses in time, over an output's curves if they are known."""

    title: str
    note: str
    labels: list[Label]
    curves: bool = False

    def within(self, row: Span, last: bool) -> list[Label]:
        """Its labels in a row, in order of time, remarks last."""
        start, end = row
        inside = (x for x in self.labels if start <= x.time and (last or x.time < end))
        return sorted(inside, key=lambda label: (label.faint, label.time))


def panels(timeline: Timeline) -> list[Panel]:
    """The reference, if there is one, every output, of one output no average, and the
    pieces, if there are several."""
    posteriors = timeline.posteriors
    outputs = list(timeline.glosses if posteriors is None else posteriors.probabilities)
    if len(outputs) == 2 and AVERAGE in outputs:
        outputs.remove(AVERAGE)
    found = [_output(timeline, name) for name in outputs]
    if len(timeline.pieces) > 1:
        # Two colours in turn.
        numbered = enumerate(timeline.pieces, 1)
        labels = [Label(f'{n % 2} of two', str(n), span) for n, span in numbered]
        found.append(Panel('pieces', 'read one by one', labels))
    return found if timeline.reference is None else [_reference(timeline), *found]


def _reference(timeline: Timeline) -> Panel:
    glosses, posteriors = timeline.reference, timeline.posteriors
    spans, note = posteriors and posteriors.reference_spans(glosses), 'aligned'
    if spans is None:
        spans, note = even_spans(len(glosses), *timeline.span), 'order only'
    labels = [Label(g, timeline.name(g), span) for g, span in zip(glosses, spans)]
    return Panel('reference', note, labels)


def _output(timeline: Timeline, output: str) -> Panel:
    posteriors, glosses = timeline.posteriors, timeline.glosses.get(output)
    curves = posteriors is not None
    if glosses is None:
        return Panel(output, '', [], curves)
    letters, note, labels = 'C' * len(glosses), '', []
    if timeline.reference is not None:
        pairs = align_words(timeline.reference, [gloss.symbol for gloss in glosses])
        letters = ''.join(map(operation, pairs))
        note = '  '.join(f'{letter} {letters.count(letter)}' for letter in 'SDI')
    for gloss, letter in zip(glosses, letters.replace('D', '')):
        wrong, span = letter != 'C', (gloss.start, gloss.end)
        text = timeline.name(gloss.symbol) + f' [{letter}]' * wrong
        labels.append(Label(gloss.symbol, text, span, wrong))
    for gloss in posteriors.prominent(output) if curves else ():
        decoded = [(g.start, g.end) for g in glosses if g.symbol == gloss]
        for time, height in posteriors.undecoded_peaks(output, gloss, decoded):
            text = f'{timeline.name(gloss)} {height:.2f}'
            labels.append(Label(gloss, text, (time, time), faint=True))
    return Panel(output, note, labels, curves)


def even_spans(count: int, start: float, end: float) -> list[Span]:
    """``count`` equal parts of the time from ``start`` to ``end``."""
    return list(pairwise(np.linspace(start, end, count + 1).tolist()))


def line_style(number: int) -> dict[str, str]:
    """matplotlib's ``color`` and ``linestyle`` for the curve of a number."""
    repeated, colour = divmod(number, len(COLOURS))
    return dict(color=COLOURS[colour], linestyle=LINES[repeated % len(LINES)])
