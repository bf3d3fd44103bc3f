import matplotlib
import numpy as np
import pytest
from PIL import Image

from mmsign.errors import ConfigError
from mmsign.visualization.fonts import (
    LATIN,
    can_draw,
    caption,
    draw_word,
    font_families,
    subtitle,
    word_font,
)


def test_letters_of_the_fonts_are_known():
    families = font_families()
    assert families[0] == LATIN
    assert can_draw('MÄSSIG-ÜBER_ß+Ł $x$ <b>', families)
    assert not can_draw('天', (LATIN,))
    # A private code point, which no font of a machine has.
    assert not can_draw('REGEN\ue123', (LATIN,))


def test_a_named_font_comes_second():
    files = matplotlib.get_data_path() + '/fonts/ttf/'
    families = font_families(files + 'STIXGeneral.ttf')
    assert families == (LATIN, 'STIXGeneral')
    only_stix = '\u2a6d'  # a mathematical sign
    assert can_draw(only_stix, families) and not can_draw(only_stix, (LATIN,))


def test_what_is_no_font_is_refused(tmp_path):
    (tmp_path / 'text.ttf').write_text('not a font')
    for name in ('gone.ttf', 'text.ttf'):
        with pytest.raises(ConfigError, match=name):
            font_families(str(tmp_path / name))


def drawn(word: str, size: int) -> np.ndarray:
    """A word on black, its baseline between the rows 39 and 40."""
    image = Image.new('RGB', (150, 60))
    draw_word(image, word, (5, 40), size)
    return np.asarray(image)[..., 0]


@pytest.mark.parametrize('word', ['REGEN', 'MÄSSIG', 'ŁÓDŹ'])
def test_every_european_letter_is_drawn(word):
    assert drawn(word, 20).max() == 255
    assert word_font(word, 20).getlength(word) > 40
    for letter in word:
        assert (drawn(letter, 20) != drawn('?', 20)).any()
        assert (drawn(letter, 20) != drawn('\ue123', 20)).any()


def test_words_stand_on_one_line():
    plain, accents = drawn('AA', 24), drawn('ÄÄ', 24)
    # The letters below their dots are the same; nothing lies below the baseline.
    np.testing.assert_array_equal(plain[32:], accents[32:])
    assert plain[39].any() and not plain[40:].any()
    assert accents[:24].any() and (accents != plain).any()


def test_a_word_is_mixed_into_the_image():
    image, white = Image.new('RGB', (150, 60), (100, 100, 100)), drawn('HUT', 16)
    draw_word(image, 'HUT', (5, 40), 16, grey=200)
    found, expected = np.asarray(image), np.rint(100 + white / 255 * (200 - 100))
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], expected)
    assert (found == 200).any() and (found == 100).any()


@pytest.mark.parametrize('place', [(-20, 20), (50, 5), (20, 47), (70, 20), (5, -30)])
def test_what_lies_outside_is_cut_off(place):
    wide = Image.new('RGB', (180, 140))
    draw_word(wide, 'REGEN', (place[0] + 60, place[1] + 50), 18)
    image = Image.new('RGB', (60, 40))
    draw_word(image, 'REGEN', place, 18)
    np.testing.assert_array_equal(image, np.asarray(wide)[50:90, 60:120])


def test_captions_are_broken_and_none_of_their_letters_cut_off():
    short, long = caption(['REGEN'], 400), caption(['MÄSSIG $ÜBER_ ' * 20], 400)
    assert short.shape[1:] == (400, 3) and len(long) > 2 * len(short)
    for strip in (short, long, caption(['ÜGJ ' * 99], 111)):
        assert (strip < 100).any() and (strip[[0, -1]] == 255).all()
        assert (strip[:, -3:] == 255).all()


def columns(image: np.ndarray, brightness: int) -> np.ndarray:
    return np.flatnonzero(image.max((0, 2)) >= brightness)


def test_subtitles_have_the_newest_word_at_the_right_and_all_that_fit():
    many = [('RAIN', False)] * 9
    few, full = (subtitle(words, 40, 320) for words in (many[:2], many))
    assert few.max() == 150
    assert columns(full, 50).min() < 70 < columns(few, 50).min()
    assert 290 < columns(full, 50).max() == columns(few, 50).max() < 320
    assert columns(subtitle([*many, ('NOW', True)], 40, 320), 255).min() > 240
    assert not subtitle([('A' * 99, True)], 40, 320).any()
