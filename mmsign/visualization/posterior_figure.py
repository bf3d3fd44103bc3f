"""A clip over time: frames, the reference, what each output says, as one figure.

Long clips are broken into rows, as music is. All lengths are inches, times are frames
of the source video.
"""

from __future__ import annotations

import textwrap

import numpy as np

from .fonts import LATIN
from .labels import Label, colours_of, pack
from .posterior_scene import Panel, Scene, panels
from .posteriors import Span

WIDTH, LEFT, RIGHT = 16.0, 1.3, 0.2
ROOM = WIDTH - LEFT - RIGHT
FRAMES_PER_ROW = 14
SIDE = ROOM / FRAMES_PER_ROW
LANE, CURVES, BAR, GAP = 0.23, 0.62, 0.1, 0.1
TICKS, BETWEEN_ROWS, LINE = 0.25, 0.4, 0.19
MOST_ROWS = 24  # of which Matplotlib can still make one image
TEXT = 8.5


def render(scene: Scene, dpi: int = 100) -> np.ndarray:
    """Draw the figure.

    Returns:
        (H, W, 3) uint8 RGB; W is 16 · dpi, H as is needed.
    """
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1), dpi=dpi, facecolor='white')
    canvas = FigureCanvasAgg(figure)
    drawing = _Drawing(figure, canvas.get_renderer(), scene)
    drawing.draw()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


class _Drawing:
    def __init__(self, figure, renderer, scene: Scene) -> None:
        self.figure, self.renderer, self.scene = figure, renderer, scene
        self.panels = panels(scene)
        self.styles = colours_of(
            [label.gloss for panel in self.panels for label in panel.labels]
        )
        self.images = max((len(images) for _, images in scene.pictures), default=0)

    # What goes where ---------------------------------------------------------

    def draw(self) -> None:
        scene = self.scene
        head = [
            part for line in scene.remarks for part in textwrap.wrap(line, 170) or ['']
        ]
        rows = list(scene.rows[:MOST_ROWS])
        left_out = len(scene.rows) - len(rows)
        if left_out:
            head.append(f'the last {left_out} of {len(scene.rows)} rows are not drawn')
        places = [self._places(row, row == scene.rows[-1]) for row in rows]
        heights = [
            self.images * SIDE + sum(map(_height, self.panels, own)) + TICKS
            for own in places
        ]
        top = 0.42 + LINE * len(head) + 0.12
        total = top + sum(heights) + BETWEEN_ROWS * (len(rows) - 1) + 2 * LINE
        self.figure.set_size_inches(WIDTH, total)
        self.total = total
        self._write(0.15, 0.12, scene.title, fontsize=12)
        for number, line in enumerate(head):
            self._write(0.15, 0.42 + LINE * number, line, fontsize=9, color='#333333')
        for row, own, height in zip(rows, places, heights):
            self._row(row, own, top)
            top += height + BETWEEN_ROWS
        self._write(0.15, total - LINE - 0.08, _KEY, fontsize=8, color='#555555')

    def _places(self, row: Span, last: bool) -> list[list]:
        scale = ROOM / (row[1] - row[0])
        found = []
        for panel in self.panels:
            labels = panel.within(row, last)
            middles = [(label.time - row[0]) * scale for label in labels]
            widths = [self._width(label) for label in labels]
            found.append(list(zip(labels, widths, pack(middles, widths, ROOM))))
        return found

    def _width(self, label: Label) -> float:
        from matplotlib.font_manager import FontProperties

        font = FontProperties(family=self.scene.families, size=TEXT)
        pixels, _, _ = self.renderer.get_text_width_height_descent(
            label.text, font, ismath=False
        )
        return pixels / self.figure.dpi + 0.1

    # Parts -------------------------------------------------------------------

    def _row(self, row: Span, places: list[list], top: float) -> None:
        if self.images:
            self._pictures(row, self._axes(row, top, self.images * SIDE))
            top += self.images * SIDE
        for number, (panel, own) in enumerate(zip(self.panels, places)):
            height = _height(panel, own)
            axes = self._axes(row, top, height - GAP)
            self._panel(axes, panel, own, row, height - GAP)
            self._titles(panel, top, height - GAP)
            top += height
            self._ticks(axes, row, number == len(self.panels) - 1)

    def _axes(self, row: Span, top: float, height: float):
        axes = self.figure.add_axes(
            (
                LEFT / WIDTH,
                1 - (top + height) / self.total,
                ROOM / WIDTH,
                height / self.total,
            )
        )
        axes.set_xlim(*row)
        axes.set_ylim(0, height)
        axes.set_yticks([])
        axes.tick_params(labelbottom=False, length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        return axes

    def _pictures(self, row: Span, axes) -> None:
        half = SIDE / 2 * (row[1] - row[0]) / ROOM
        for time, images in self.scene.pictures:
            if not row[0] <= time < row[1]:
                continue
            for number, image in enumerate(images):
                low = (self.images - 1 - number) * SIDE
                axes.imshow(
                    image,
                    extent=(time - half * 0.97, time + half * 0.97, low, low + SIDE),
                    aspect='auto',
                    interpolation='antialiased',
                )
        axes.set_xlim(*row)
        axes.set_ylim(0, self.images * SIDE)

    def _panel(self, axes, panel: Panel, own: list, row: Span, height: float) -> None:
        foot = BAR if panel.curves is None else CURVES
        if panel.curves is not None:
            self._curves(axes, panel)
            axes.axhline(CURVES, color='#e0e0e0', linewidth=0.6, zorder=0)
            axes.axhline(0, color='#999999', linewidth=1.5, zorder=2.8)
            axes.set_yticks([0, CURVES], ['0', '1'], fontsize=7, color='#555555')
        for (start, end), gloss in panel.bars:
            axes.fill_between(
                [start, end],
                *(0, foot),
                color=self.styles[gloss][0],
                alpha=0.75 if panel.curves is None else 0.16,
                linewidth=0,
                zorder=0.5,
            )
        per_inch = (row[1] - row[0]) / ROOM
        for label, width, place in own:
            self._label(axes, label, place, width, row[0], per_inch, foot)

    def _label(self, axes, label, place, width, start, per_inch, foot) -> None:
        colour, _ = self.styles[label.gloss]
        low = foot + 0.04 + LANE * place.lane
        axes.plot(
            *([label.time] * 2, [foot * 0.9, low]),
            **dict(color='#999999' if label.faint else colour, linewidth=0.8),
            zorder=2,
        )
        box = dict(boxstyle='square,pad=0.18', facecolor='white', edgecolor=colour)
        ink = '#111111'
        if label.wrong:
            box, ink = box | dict(facecolor='#333333', linewidth=1.8), 'white'
        elif label.faint:
            box, ink = box | dict(edgecolor='none'), '#666666'
        axes.text(
            *(start + (place.left + width / 2) * per_inch, low + LANE / 2 - 0.02),
            label.text,
            **dict(ha='center', va='center', fontsize=TEXT, parse_math=False),
            family=self.scene.families,
            color=ink,
            style='italic' if label.faint else 'normal',
            bbox=box,
            zorder=3,
        )

    def _curves(self, axes, panel: Panel) -> None:
        posteriors, output = self.scene.posteriors, panel.curves
        edges = posteriors.edges
        blank = posteriors.curve(output, None) * CURVES
        axes.stairs(blank, edges, color='#aaaaaa', linewidth=0.9, zorder=1)
        always = [label.gloss for label in panel.labels]
        for gloss in posteriors.prominent(output, always):
            colour, line = self.styles.get(gloss, ('#777777', ':'))
            curve = posteriors.curve(output, gloss) * CURVES
            axes.stairs(curve, edges, fill=True, color=colour, alpha=0.25)
            axes.stairs(
                *(curve, edges),
                **dict(color=colour, linestyle=line, linewidth=1.4, zorder=2.5),
            )

    def _titles(self, panel: Panel, top: float, height: float) -> None:
        middle = top + height / 2 if panel.curves is None else top + height - CURVES / 2
        style = dict(ha='right', va='center')
        right = LEFT - 0.28
        self._write(
            right, middle - 0.08, panel.title, weight='bold', family=LATIN, **style
        )
        self._write(
            right, middle + 0.1, panel.note, fontsize=7.5, color='#555555', **style
        )

    def _ticks(self, axes, row: Span, lowest: bool) -> None:
        fps = self.scene.fps
        unit = fps or 1.0
        steps = (0.1, 0.2, 0.5, 1, 2, 5) if fps else (1, 2, 5, 10, 20, 50, 100)
        wanted = (row[1] - row[0]) / unit / 20
        step = next((s for s in steps if s >= wanted), steps[-1])
        first = np.ceil(row[0] / unit / step - 1e-9)
        numbers = np.arange(first, row[1] / unit / step + 1e-9) * step
        names = [f'{abs(number):g}' for number in numbers.round(6)]
        axes.set_xticks(numbers * unit, names)
        axes.grid(axis='x', color='#e8e8e8', linewidth=0.7, zorder=0)
        axes.set_axisbelow(True)
        if lowest:
            axes.tick_params(labelbottom=True, length=3, labelsize=8, color='#999999')
            axes.spines['bottom'].set_visible(True)
            axes.spines['bottom'].set_color('#999999')
            x, y = LEFT - 0.28, axes.get_position().y0 * self.total
            name = 'seconds' if fps else 'frames'
            self._write(x, self.total - y + 0.12, name, fontsize=8, ha='right')

    def _write(self, left: float, top: float, text: str, **style) -> None:
        self.figure.text(
            *(left / WIDTH, 1 - top / self.total, text),
            **dict(va='top', fontsize=9, parse_math=False, family=self.scene.families)
            | style,
        )


_KEY = (
    'Curves: probability of each gloss; grey: blank. Shaded: where the decoder places '
    'a gloss. Dark: wrong, [S] substituted, [I] inserted. Italic: likely '
    'somewhere, but not recognized.'
)


def _height(panel: Panel, own: list) -> float:
    lanes = 1 + max((place.lane for _, _, place in own), default=0)
    foot = BAR if panel.curves is None else CURVES
    return foot + 0.06 + LANE * lanes + GAP
