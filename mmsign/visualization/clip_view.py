"""A clip as the network gets it, as a picture or a video.

Symbols: T frames, K keypoints, s side of a heatmap, S side of a shown frame in pixels.
Images are uint8 BGR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .fonts import font_families
from .overlay import blend_heatmaps, crop_coordinates, draw_skeleton


@dataclass(frozen=True)
class ClipView:
    """What there is to see of a clip after the pipeline.

    Attributes:
        crop_box: (x0, y0, width, height) in pixels of the source frame.
        frames: (T, S', S', 3), cropped and resized; None if the pipeline has none.
        keypoints: (T, K, 3) in pixels of the source frame, or None.
        heatmaps: (K, T, s, s) in [−1, 1], or None.
    """

    crop_box: Sequence[float]
    frames: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    heatmaps: np.ndarray | None = None

    def __len__(self) -> int:
        """T."""
        return len(self.keypoints if self.frames is None else self.frames)

    def panels(self, index: int, side: int) -> list[np.ndarray]:
        """One frame: with its skeleton, and with its heatmaps if there are any.

        Without frames the background is black.

        Returns:
            Images (S, S, 3) with S = side.
        """
        if self.frames is None:
            frame = np.zeros((side, side, 3), np.uint8)
        else:
            size = side, side
            frame = cv2.resize(self.frames[index], size, interpolation=cv2.INTER_LINEAR)
        if self.keypoints is None:
            return [frame]
        points = crop_coordinates(self.keypoints[index], self.crop_box, side)
        panels = [draw_skeleton(frame, points, self.keypoints[index, :, 2])]
        if self.heatmaps is not None:
            panels.append(blend_heatmaps(frame, self.heatmaps[:, index]))
        return panels


def view_sheet(
    view: ClipView, caption: Sequence[str], columns: int = 8, side: int = 224
) -> np.ndarray:
    """Evenly spaced frames of a clip side by side under a caption.

    Args:
        view: The clip.
        caption: Its lines.
        columns: Frames shown, at most.
        side: Of each in pixels.

    Returns:
        (H, W, 3)
    """
    shown = np.linspace(0, len(view) - 1, min(columns, len(view))).round().astype(int)
    columns_of_panels = []
    for index in shown:
        panels = [panel.copy() for panel in view.panels(index, side)]
        cv2.putText(
            *(panels[0], str(index), (6, side - 8), cv2.FONT_HERSHEY_SIMPLEX),
            *(0.45, (255, 255, 255), 1, cv2.LINE_AA),
        )
        columns_of_panels.append(np.vstack(panels))
    pictures = np.hstack(columns_of_panels)
    return np.vstack([caption_strip(caption, pictures.shape[1]), pictures])


def view_frames(
    view: ClipView, caption: Sequence[str], side: int = 320
) -> Iterator[np.ndarray]:
    """Every frame of a clip under a caption, to be written as a video.

    Yields:
        (H, W, 3) of one size, with even sides, as video encoders ask.
    """
    strip = None
    for index in range(len(view)):
        pictures = np.hstack(view.panels(index, side))
        if strip is None:
            strip = caption_strip(caption, pictures.shape[1])
        image = np.vstack([strip, pictures])
        yield image[: len(image) // 2 * 2, : image.shape[1] // 2 * 2]


def caption_strip(lines: Sequence[str], width: int) -> np.ndarray:
    """Lines of text, broken to a width, black on white.

    Returns:
        (H, width, 3); H as the text needs.
    """
    # Imported here: only pictures need it. Unlike OpenCV it has more than ASCII.
    import textwrap

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    characters = max(20, int(width / 7.5))
    wrapped = [part for line in lines for part in textwrap.wrap(line, characters)]
    height = 17 * len(wrapped) + 12
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor='white')
    canvas = FigureCanvasAgg(figure)
    for row, line in enumerate(wrapped):
        figure.text(
            *(8 / width, 1 - (17 * row + 8) / height, line),
            va='top',
            fontsize=8.5,
            family=font_families(),
            parse_math=False,
        )
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., 2::-1]
    strip = np.full((height, width, 3), 255, np.uint8)
    rows, columns = min(height, image.shape[0]), min(width, image.shape[1])
    strip[:rows, :columns] = image[:rows, :columns]
    return strip
