import numpy as np
import pytest

from mmsign.visualization.words import draw_word, word_mask


@pytest.mark.parametrize('word', ['REGEN', 'MÄSSIG', 'ŁÓDŹ'])
def test_every_european_letter_is_drawn(word):
    mask, _ = word_mask(word, 20)
    assert mask.dtype == np.uint8 and mask.max() == 255
    for letter in word:
        plain = word_mask('?', 20)[0]
        drawn = word_mask(letter, 20)[0]
        assert drawn.shape != plain.shape or (drawn != plain).any()


def test_words_stand_on_one_line():
    (plain, line), (accents, same) = word_mask('AA', 24), word_mask('ÄÄ', 24)
    assert plain.shape == accents.shape and line == same
    # The letters below their dots are the same; nothing lies below the baseline.
    np.testing.assert_array_equal(plain[line - 8 :], accents[line - 8 :])
    assert plain[line - 1].any() and not plain[line:].any()
    assert accents.sum() > plain.sum()


def test_a_word_is_mixed_into_the_image():
    image = np.full((40, 60, 3), 100, np.uint8)
    colour = (0, 200, 255)
    draw_word(image, 'HUT', (5, 30), 16, colour)
    mask, line = word_mask('HUT', 16)
    top = 30 - line
    weight = mask[..., None] / 255
    expected = np.full((40, 60, 3), 100, np.uint8)
    box = expected[top : top + mask.shape[0], 5 : 5 + mask.shape[1]]
    box[:] = np.rint(100 + weight * (np.array(colour) - 100))
    np.testing.assert_array_equal(image, expected)
    assert (image == colour).all(-1).any()


@pytest.mark.parametrize('place', [(-20, 20), (50, 5), (20, 47), (70, 20), (5, -30)])
def test_what_lies_outside_is_cut_off(place):
    wide = np.zeros((140, 180, 3), np.uint8)
    draw_word(wide, 'REGEN', (place[0] + 60, place[1] + 50), 18)
    image = np.zeros((40, 60, 3), np.uint8)
    draw_word(image, 'REGEN', place, 18)
    np.testing.assert_array_equal(image, wide[50:90, 60:120])
