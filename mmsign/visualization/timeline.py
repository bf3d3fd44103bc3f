"""A clip and its recognized glosses over time, as one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


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

    height, width = sheet.shape[:2]
    figure_width = 16.0
    image_height = figure_width * height / width
    rows = len(predictions)
    figure = Figure(figsize=(figure_width, image_height + 0.5 * rows + 1.6))
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=[image_height, 0.5 * rows + 0.6])
    top.imshow(sheet[..., ::-1])
    top.set_axis_off()
    if reference is not None:
        title += f'\nreference: {" ".join(reference)}'
    top.set_title(title, fontsize=13)
    for row, (glosses, spans) in enumerate(predictions.values()):
        correct = reference is None or list(glosses) == list(reference)
        colour = '#7fb2e5' if correct else '#f2b27a'
        for gloss, (start, end) in zip(glosses, spans, strict=True):
            bottom.barh(
                row, end - start, left=start, height=0.8, color=colour, edgecolor='k'
            )
            bottom.text(
                (start + end) / 2, row, gloss, ha='center', va='center', fontsize=9
            )
    bottom.set_yticks(range(rows), list(predictions))
    bottom.invert_yaxis()
    bottom.set_xlim(0, num_frames)
    legend = '' if reference is None else '   (blue: sentence correct, orange: not)'
    bottom.set_xlabel(f'frame of the video{legend}')
    figure.tight_layout()
    figure.savefig(path, dpi=90)
