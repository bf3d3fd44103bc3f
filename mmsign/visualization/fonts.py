"""Letters of any corpus in pictures.

Matplotlib brings DejaVu Sans, which has all European letters. Chinese characters come
from a font of the machine, if one is known, or from one that the user names. Images
are uint8 BGR, sizes are pixels.
"""

import math
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mmsign.errors import ConfigError, explain

_open_font = lru_cache(ImageFont.truetype)
LATIN = 'DejaVu Sans'
# Fonts that have the characters of CSL-Daily, as systems commonly have them.
_CHINESE = (
    *('Noto Sans CJK SC', 'Noto Sans CJK JP', 'Noto Sans SC', 'Source Han Sans SC'),
    *('WenQuanYi Zen Hei', 'WenQuanYi Micro Hei', 'Droid Sans Fallback'),  # Linux
    *('Microsoft YaHei', 'SimHei'),  # Windows
    *('PingFang SC', 'Hiragino Sans GB', 'Arial Unicode MS'),  # macOS
)


@lru_cache
def font_families(font: str | None = None) -> tuple[str, ...]:
    """Names of fonts for matplotlib; a letter is taken from the first that has it.

    Args:
        font: A font file (.ttf, .otf, .ttc) to take after matplotlib's own; None
            takes those of the machine that are known to have Chinese characters.

    Raises:
        ConfigError: If there is no such file, or it is no font.
    """
    # Imported late: matplotlib is for pictures only.
    from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager

    if font is not None:
        text = f'{font} is no .ttf, .otf or .ttc'
        with explain(ConfigError, text, OSError, RuntimeError):
            fontManager.addfont(font)
            return LATIN, FontProperties(fname=font).get_name()
    if not set(_CHINESE).intersection(fontManager.get_font_names()):
        # Matplotlib keeps a list, in which fonts installed later are missing.
        known = {entry.fname for entry in fontManager.ttflist}
        for file in set(findSystemFonts()) - known:
            with suppress(RuntimeError):  # of a format that it does not read
                fontManager.addfont(file)
    installed = set(fontManager.get_font_names())
    return LATIN, *(name for name in _CHINESE if name in installed)


def _font(family: str):
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family=family)))


@lru_cache
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    """Code points that one of the fonts can draw."""
    return frozenset().union(*(_font(name).get_charmap() for name in families))


def can_draw(text: str, families: tuple[str, ...]) -> bool:
    """Whether every letter of ``text`` is in one of the fonts."""
    return _letters(families).issuperset(map(ord, text))


def word_font(word: str, size: int) -> ImageFont.FreeTypeFont:
    """The first font that has every letter; a word is not set in two.

    Letters that no font has come out as boxes.
    """
    families = font_families()
    family = next((f for f in families if can_draw(word, (f,))), LATIN)
    return _open_font(_font(family).fname, size)


def draw_word(
    image: Image.Image, word: str, place: tuple[int, int], size: int, grey: int = 255
) -> None:
    """Write into an image.

    Args:
        image: Of three channels; changed. What lies outside is cut off.
        word: See ``word_font``.
        place: Left end of the baseline, (x, y).
        size: Of the letters.
        grey: Of the letters, 0 for black.
    """
    colour, font = (grey, grey, grey), word_font(word, size)
    ImageDraw.Draw(image).text(place, word, colour, font, anchor='ls')


def caption(lines: Sequence[str], width: int, size: int = 13) -> np.ndarray:
    """Lines of text above a picture, broken to its width, black on white.

    Returns:
        (H, width, 3); H as the text needs.
    """
    wrapped = [part for line in lines for part in _wrap(line, width - size, size)]
    step = 3 * size // 2
    strip = Image.new('RGB', (width, step * len(wrapped) + size), 'white')
    for row, line in enumerate(wrapped, 1):
        draw_word(strip, line, (size // 2, step * row), size, grey=0)
    return np.asarray(strip)


def _wrap(line: str, room: int, size: int) -> list[str]:
    letters, parts = len(line), [line]
    while letters > 1 and any(word_font(p, size).getlength(p) > room for p in parts):
        letters = letters * 9 // 10
        parts = textwrap.wrap(line, letters)
    return parts


def subtitle(words: Sequence[tuple[str, bool]], height: int, width: int) -> np.ndarray:
    """A bar below a frame with the words up to now, the newest at the right.

    Args:
        words: In order of time, each with whether it is being signed right now; as
            many of the last ones are shown as there is room for.
        height: Of the bar.
        width: Of the bar.

    Returns:
        (height, width, 3), white and grey on black.
    """
    bar = Image.new('RGB', (width, height))
    size = max(8, height // 2)
    right = width - size // 2
    for word, present in reversed(words):
        right -= math.ceil(word_font(word, size).getlength(word))
        if right < 0:
            break
        place = right, int(height * 0.65)
        draw_word(bar, word, place, size, grey=255 if present else 150)
        right -= size // 2
    return np.asarray(bar)
