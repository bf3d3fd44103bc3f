"""Letters of any corpus in the pictures.

Matplotlib brings DejaVu Sans, which has all European letters. Chinese characters come
from a font of the machine, if one is known, or from one that the user names.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache

from mmsign.errors import ConfigError

LATIN = 'DejaVu Sans'
# Fonts that have the characters of CSL-Daily, as systems commonly have them.
_CHINESE = (
    'Noto Sans CJK SC',
    'Noto Sans CJK JP',
    'Noto Sans SC',
    'Source Han Sans SC',
    'WenQuanYi Zen Hei',
    'WenQuanYi Micro Hei',
    'Droid Sans Fallback',
    'Microsoft YaHei',
    'SimHei',
    'PingFang SC',
    'Hiragino Sans GB',
    'Arial Unicode MS',
)


@lru_cache
def font_families(font: str | None = None) -> tuple[str, ...]:
    """Names of fonts for matplotlib; a letter is taken from the first that has it.

    Args:
        font: A font file (.ttf, .otf, .ttc) to take after matplotlib's own; None
            takes those of the machine that are known to have Chinese characters.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no font.
    """
    # Imported late: matplotlib is for pictures only.
    from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager

    if font is None:
        found = _chinese(fontManager)
        if not found:
            # Matplotlib keeps a list, in which fonts installed later are missing.
            known = {entry.fname for entry in fontManager.ttflist}
            for file in set(findSystemFonts()) - known:
                with suppress(RuntimeError):  # of a format that it does not read
                    fontManager.addfont(file)
            found = _chinese(fontManager)
        return LATIN, *found
    if not os.path.isfile(font):
        raise FileNotFoundError(f'font file {font} does not exist')
    try:
        fontManager.addfont(font)
        return LATIN, FontProperties(fname=font).get_name()
    except RuntimeError as error:
        raise ConfigError(
            f'{font} is not a font that matplotlib reads: expected .ttf, .otf or .ttc'
        ) from error


def _chinese(manager) -> list[str]:
    installed = set(manager.get_font_names())
    return [name for name in _CHINESE if name in installed]


@lru_cache
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    """Code points that one of the fonts can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    files = {findfont(FontProperties(family=name)) for name in families}
    return frozenset().union(*(get_font(file).get_charmap() for file in files))


def can_draw(text: str, families: tuple[str, ...]) -> bool:
    """Whether every letter of ``text`` is in one of the fonts."""
    letters = _letters(families)
    return all(ord(letter) in letters for letter in text)
