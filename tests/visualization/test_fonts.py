import matplotlib
import numpy as np
import pytest

from mmsign.errors import ConfigError
from mmsign.visualization.fonts import (
    LATIN,
    can_draw,
    caption,
    draw_word,
    font_families,
    subtitle,
    word_mask,
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


@pytest.mark.parametrize('word', ['REGEN', 'MÄSSIG', 'ŁÓDŹ'])
def test_every_european_letter_is_drawn(word):
    mask, _ = word_mask(word, 20)
    assert mask.dtype == np.uint8 and mask.max() == 255
    for letter in word:
        box = word_mask('?', 20)[0]
        drawn = word_mask(letter, 20)[0]
        assert drawn.shape != box.shape or (drawn != box).any()


def test_words_stand_on_one_line():
    (plain, line), (accents, same) = word_mask('AA', 24), word_mask('ÄÄ', 24)
    assert plain.shape == accents.shape and line == same
    # The letters below their dots are the same; nothing lies below the baseline.
    np.testing.assert_array_equal(plain[line - 8 :], accents[line - 8 :])
    assert plain[line - 1].any() and not plain[line:].any()


def test_a_word_is_mixed_into_the_image():
    image, expected = np.full((2, 40, 60, 3), 100, np.uint8)
    draw_word(image, 'HUT', (5, 30), 16, grey=200)
    mask, line = word_mask('HUT', 16)
    box = expected[30 - line : 30 - line + mask.shape[0], 5 : 5 + mask.shape[1]]
    box[:] = np.rint(100 + mask[..., None] / 255 * (200 - 100))
    np.testing.assert_array_equal(image, expected)
    assert (image == 200).all(-1).any()


@pytest.mark.parametrize('place', [(-20, 20), (50, 5), (20, 47), (70, 20), (5, -30)])
def test_what_lies_outside_is_cut_off(place):
    wide = np.zeros((140, 180, 3), np.uint8)
    draw_word(wide, 'REGEN', (place[0] + 60, place[1] + 50), 18)
    image = np.zeros((40, 60, 3), np.uint8)
    draw_word(image, 'REGEN', place, 18)
    np.testing.assert_array_equal(image, wide[50:90, 60:120])


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
