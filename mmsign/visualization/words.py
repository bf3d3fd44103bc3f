"""Words in the frames of a video, in any letters that a font of the machine has.

Images are uint8 BGR.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .fonts import can_draw, font_families


@lru_cache(maxsize=64)
def _font(family: str, size: int):
    # Imported late: fonts are for pictures only.
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont(FontProperties(family=family)), size)


@lru_cache(maxsize=1024)
def word_mask(word: str, size: int) -> tuple[np.ndarray, int]:
    """A word as it is laid over an image.

    Args:
        word: Letters that no font has come out as boxes.
        size: Of the letters in pixels.

    Returns:
        (h, w) uint8, how much of each pixel the letters cover, and the row of the
        baseline. h is the same for every word of one font.
    """
    from PIL import Image, ImageDraw

    families = font_families()
    # The first that has every letter; a word is not set in two fonts.
    family = next((f for f in families if can_draw(word, (f,))), families[0])
    font = _font(family, size)
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(word))))
    image = Image.new('L', (width, ascent + descent))
    ImageDraw.Draw(image).text((0, ascent), word, 255, font, anchor='ls')
    return np.asarray(image), ascent


def draw_word(
    image: np.ndarray,
    word: str,
    place: tuple[int, int],
    size: int,
    colour: tuple[int, int, int] = (255, 255, 255),
) -> None:
    """Write into an image.

    Args:
        image: (H, W, 3); changed. What lies outside is cut off.
        place: Left end of the baseline, (x, y) in pixels.
        size: Of the letters in pixels.
    """
    mask, baseline = word_mask(word, size)
    left, top = place[0], place[1] - baseline
    shown = mask[max(0, -top) :, max(0, -left) :]
    part = image[max(0, top) :, max(0, left) :][: shown.shape[0], : shown.shape[1]]
    weight = shown[: part.shape[0], : part.shape[1], None] / 255
    part[:] = np.rint(part + weight * (np.array(colour) - part))
