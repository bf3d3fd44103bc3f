"""A clip and its recognized glosses over time, as one figure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .fonts import font_families
from .labels import pack

# Inches.
WIDTH, MARGIN = 16.0, 1.1
ROOM = WIDTH - MARGIN - 0.3
BAR, LANE = 0.2, 0.22


def save_timeline(
    path: str | Path,
    sheet: np.ndarray,
    reference: Sequence[str] | None,
    predictions: Mapping[str, tuple[Sequence[str], Sequence[tuple[int, int]]]],
    num_frames: int,
    title: str,
) -> None:
    """Write a picture of frames, reference and each output's glosses in time.

    Args:
        path: PNG to write.
        sheet: (H, W, 3) uint8 BGR, see ``clip_sheet``.
        reference: Glosses as annotated, which have no times; None if unknown.
        predictions: Output name → glosses and their [start, end) in frames.
        num_frames: Of the source video.
        title: Of the figure.
    """
    # Imported here: a figure is the only thing that needs matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    families = font_families()
    font = FontProperties(family=families, size=9)
    figure = Figure(figsize=(WIDTH, 1))
    renderer = FigureCanvasAgg(figure).get_renderer()

    def width(gloss: str) -> float:
        pixels = renderer.get_text_width_height_descent(gloss, font, ismath=False)[0]
        return pixels / figure.dpi

    scale = ROOM / max(1, num_frames)
    rows, height = [], 0.0
    for name, (glosses, spans) in predictions.items():
        middles = [(start + end) / 2 * scale for start, end in spans]
        places = pack(middles, list(map(width, glosses)), ROOM)
        lanes = 1 + max((place.lane for place in places), default=0)
        height += BAR + LANE * lanes + 0.15
        rows.append((name, glosses, spans, places, height))
    image_height = WIDTH * sheet.shape[0] / sheet.shape[1]
    lines = []
    if reference is not None:
        lines = textwrap.wrap(f'reference: {" ".join(reference)}', 130)
    head = 0.45 + 0.3 * len(lines)
    total = head + image_height + height + 0.8
    figure.set_size_inches(WIDTH, total)
    text = dict(family=families, parse_math=False)
    figure.text(0.01, 1 - 0.1 / total, title, va='top', fontsize=13, **text)
    for number, line in enumerate(lines):
        y = 1 - (0.4 + 0.3 * number) / total
        figure.text(0.01, y, line, va='top', fontsize=11, **text)
    low = 1 - (head + image_height) / total
    top = figure.add_axes((0, low, 1, image_height / total))
    top.imshow(sheet[..., ::-1], aspect='auto')
    top.set_axis_off()
    axes = figure.add_axes((MARGIN / WIDTH, 0.55 / total, ROOM / WIDTH, height / total))
    for _, glosses, spans, places, low in rows:
        correct = reference is None or list(glosses) == list(reference)
        colour = '#7fb2e5' if correct else '#f2b27a'
        for gloss, (start, end), place in zip(glosses, spans, places, strict=True):
            axes.barh(
                *(low - BAR / 2, end - start, BAR, start),
                **dict(color=colour, edgecolor='k'),
            )
            axes.text(
                *(place.left / scale, low - BAR - LANE * place.lane - 0.04, gloss),
                **dict(fontsize=9, va='bottom', **text),
            )
    axes.set_yticks([low - BAR / 2 for *_, low in rows], [row[0] for row in rows])
    axes.set_ylim(height + 0.05, 0)
    axes.set_xlim(0, max(1, num_frames))
    legend = '' if reference is None else '   (blue: sentence correct, orange: not)'
    axes.set_xlabel(f'frame of the video{legend}')
    figure.savefig(path, dpi=90)
