"""A clip over time as one figure: frames, the reference, what each output says.

Long clips are broken into rows, as music is. Sizes are inches, times as in
``Timeline``.
"""

import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, count

import numpy as np

from .fonts import LATIN
from .timeline import FRAMES_PER_ROW, Label, Panel, Span, Timeline, line_style, panels

WIDTH, LEFT, RIGHT = 16.0, 1.3, 0.2
ROOM = WIDTH - LEFT - RIGHT
SIDE = ROOM / FRAMES_PER_ROW
LANE, CURVES, BAR, GAP = 0.23, 0.62, 0.1, 0.1
HEAD, TICKS, BETWEEN_ROWS, LINE = 0.54, 0.25, 0.4, 0.19
MOST_ROWS = 24  # of which matplotlib can still make one image
TEXT, DPI = 8.5, 100
PIXELS = 160  # of a frame's side
GREY = '#555555'
SHADED = 'Shaded: where the decoder places a gloss. '
OF_CURVES = 'Curves: probability of each gloss; grey: blank. '
OF_LIKELY = 'Italic: likely somewhere, but not recognized. '
OF_ERRORS = 'Dark: wrong, [S] substituted, [I] inserted.'

Band = tuple[float, Span, Callable | None]


def draw_timeline(timeline: Timeline) -> np.ndarray:
    """Draw the figure.

    Returns:
        (H, 1600, 3) uint8 BGR; H as is needed.

    Examples:
        >>> from mmsign.structures import TimedGloss
        >>> glosses = dict(video=[TimedGloss('RAIN', start=0.4, duration=0.2)])
        >>> draw_timeline(Timeline('a clip', (0.0, 2.0), glosses)).shape
        (166, 1600, 3)
    """
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1), dpi=DPI, facecolor='white')
    canvas = FigureCanvasAgg(figure)
    bands = list(_Drawing(timeline, canvas.get_renderer()).bands())
    total = sum(height for height, _, _ in bands)
    figure.set_size_inches(WIDTH, total)
    top = 0.0
    for height, span, draw in bands:
        top += height
        if draw is not None:
            place = LEFT / WIDTH, 1 - top / total, ROOM / WIDTH, height / total
            axes = figure.add_axes(place, frameon=False, yticks=[])
            axes.tick_params(labelbottom=False, length=0)
            draw(axes)
            axes.set(xlim=span, ylim=(0, height))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 2::-1].copy()


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
    places, lanes = [], defaultdict(list)
    for middle, width in zip(middles, widths, strict=True):
        left = max(0.0, min(middle - width / 2, room - width))
        right = left + width + gap
        free = (n for n in count() if all(right <= a or b <= left for a, b in lanes[n]))
        lane = next(free)
        lanes[lane].append((left, right))
        places.append((lane, left))
    return places


def colours_of(glosses: Iterable[str]) -> dict[str, dict[str, str]]:
    """A colour and a kind of line for each gloss, by order of appearance."""
    return {g: line_style(n) for n, g in enumerate(dict.fromkeys(glosses))}


def _foot(panel: Panel) -> float:
    return CURVES if panel.curves else BAR


class _Drawing:
    """Bands from above to below: height, times from left to right, what draws it."""

    def __init__(self, timeline: Timeline, renderer) -> None:
        self.timeline, self.renderer = timeline, renderer
        self.panels = panels(timeline)
        self.styles = colours_of(x.gloss for panel in self.panels for x in panel.labels)
        self.text = dict(family=timeline.families, parse_math=False, fontsize=TEXT)

    def bands(self) -> Iterator[Band]:
        rows, curves = self.timeline.rows, any(panel.curves for panel in self.panels)
        wrapped = (textwrap.wrap(line, 170) or [''] for line in self.timeline.remarks)
        lines = list(chain(*wrapped))
        if (left_out := len(rows) - MOST_ROWS) > 0:
            lines.append(f'the last {left_out} of {len(rows)} rows are not drawn')
        whole = (0, ROOM)
        yield HEAD + LINE * len(lines), whole, partial(self._head, lines)
        for number, row in enumerate(rows[:MOST_ROWS]):
            if number:
                yield BETWEEN_ROWS, row, None
            yield from self._row(row, row == rows[-1])
        errors = self.timeline.reference is not None
        key = (OF_CURVES + OF_LIKELY) * curves + SHADED + OF_ERRORS * errors
        yield 2 * LINE, whole, partial(self._write, 0.15, 0.11, key, 8, color=GREY)

    def _row(self, row: Span, last: bool) -> Iterator[Band]:
        if frames := self.timeline.frames(row):
            stacks = list(self.timeline.view.panels([*frames.values()], PIXELS))
            draw = partial(self._pictures, frames, stacks, row)
            yield SIDE * len(stacks[0]), row, draw
        for panel in self.panels:
            labels = panel.within(row, last)
            middles = [(x.time - row[0]) * ROOM / (row[1] - row[0]) for x in labels]
            widths = [self._width(label) for label in labels]
            places = pack(middles, widths, ROOM)
            lanes = 1 + max((lane for lane, _ in places), default=0)
            draw = partial(self._panel, panel, list(zip(labels, widths, places)), row)
            yield _foot(panel) + 0.06 + LANE * lanes, row, draw
            yield GAP + TICKS * (panel is self.panels[-1]), row, None

    def _width(self, label: Label) -> float:
        from matplotlib.font_manager import FontProperties

        font = FontProperties(family=self.timeline.families, size=TEXT)
        size = self.renderer.get_text_width_height_descent(label.text, font, False)
        return size[0] / DPI + 0.1

    # What draws each, into axes whose y is inches ------------------------------------

    def _write(self, left: float, low: float, text: str, size: float, axes, **style):
        # `left` in inches of the figure.
        place = axes.get_yaxis_transform()
        style = self.text | dict(fontsize=size, va='baseline', transform=place) | style
        # What is no text, in the name of a file, is written as its code.
        text = text.encode(errors='backslashreplace').decode()
        axes.text((left - LEFT) / ROOM, low, text, **style)

    def _head(self, lines: list[str], axes) -> None:
        height = HEAD + LINE * len(lines)
        self._write(0.15, height - 0.28, self.timeline.title, 12, axes)
        for number, line in enumerate(lines):
            self._write(0.15, height - 0.54 - LINE * number, line, 9, axes, color=GREY)

    def _pictures(self, times: Iterable, stacks: list, row: Span, axes) -> None:
        half = 0.97 * SIDE / 2 * (row[1] - row[0]) / ROOM
        for time, stack in zip(times, stacks):
            for number, image in enumerate(reversed(stack)):
                extent = time - half, time + half, number * SIDE, (number + 1) * SIDE
                axes.imshow(image[..., ::-1], extent=extent, aspect='auto')

    def _panel(self, panel: Panel, placed: list[tuple], row: Span, axes) -> None:
        foot, lowest = _foot(panel), panel is self.panels[-1]
        if panel.curves or lowest:
            axes.axhline(0, color='#999999', linewidth=1.5, zorder=2.8)
        if panel.curves:
            self._curves(axes, panel)
            axes.axhline(CURVES, color='#e0e0e0', linewidth=0.6, zorder=0)
            axes.set_yticks([0, CURVES], ['0', '1'], fontsize=7, color=GREY)
        shade = dict(alpha=0.16 if panel.curves else 0.75, linewidth=0, zorder=0.5)
        for label in panel.labels:
            if not label.faint:
                colour = self.styles[label.gloss]['color']
                axes.fill_between(label.span, 0, foot, color=colour, **shade)
        per_inch = (row[1] - row[0]) / ROOM
        for label, width, (lane, left) in placed:
            place = row[0] + (left + width / 2) * per_inch, foot + 0.04 + LANE * lane
            self._label(axes, label, *place, foot)
        middle = (foot + (not panel.curves) * (0.06 + LANE)) / 2
        right = LEFT - 0.28
        bold = dict(ha='right', weight='bold', family=LATIN)
        self._write(right, middle + 0.01, panel.title, 9, axes, **bold)
        self._write(right, middle - 0.16, panel.note, 7.5, axes, ha='right', color=GREY)
        integers = self.timeline.unit == 'frames'
        axes.locator_params('x', nbins=20, steps=[1, 2, 5, 10], integer=integers)
        axes.xaxis.set_major_formatter('{x:g}')
        axes.grid(axis='x', color='#e8e8e8', linewidth=0.7, zorder=0)
        axes.set_axisbelow(True)
        if lowest:
            axes.tick_params(labelbottom=True, length=3, labelsize=8, color='#999999')
            self._write(right, -0.2, self.timeline.unit, 8, axes, ha='right')

    def _label(self, axes, label: Label, x: float, low: float, foot: float) -> None:
        colour = self.styles[label.gloss]['color']
        stem = '#999999' if label.faint else colour
        axes.vlines(label.time, foot * 0.9, low, color=stem, linewidth=0.8, zorder=2)
        box = dict(boxstyle='square,pad=0.18', facecolor='white', edgecolor=colour)
        ink = '#111111'
        if label.wrong:
            box, ink = box | dict(facecolor='#333333', linewidth=1.8), 'white'
        elif label.faint:
            box, ink = box | dict(edgecolor='none'), '#666666'
        style = dict(ha='center', va='center', color=ink, bbox=box, zorder=3)
        style |= self.text | dict(style='italic' if label.faint else 'normal')
        axes.text(x, low + LANE / 2 - 0.02, label.text, **style)

    def _curves(self, axes, panel: Panel) -> None:
        posteriors = self.timeline.posteriors

        def curve(gloss: str | None, **style) -> None:
            heights = posteriors.curve(panel.title, gloss) * CURVES
            axes.stairs(heights, posteriors.edges, **style)

        curve(None, color='#aaaaaa', linewidth=0.9, zorder=1)
        always = [label.gloss for label in panel.labels]
        for gloss in posteriors.prominent(panel.title, always):
            style = self.styles.get(gloss, dict(color='#777777', linestyle=':'))
            curve(gloss, fill=True, color=style['color'], alpha=0.25)
            curve(gloss, **style, linewidth=1.4, zorder=2.5)
