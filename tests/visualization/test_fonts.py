import matplotlib
import pytest

from mmsign.visualization.fonts import LATIN, can_draw, font_families


def test_european_letters_can_always_be_drawn():
    families = font_families()
    assert families[0] == LATIN
    assert can_draw('MÄSSIG-ÜBER_ß+Ł $x$ <b>', families)


def test_letters_of_no_font_are_known():
    assert not can_draw('天', (LATIN,))
    # A private code point, which no font of a machine has.
    assert not can_draw('REGEN\ue123', (LATIN,))
    assert can_draw('', (LATIN,))


def test_a_named_font_comes_second():
    files = matplotlib.get_data_path() + '/fonts/ttf/'
    families = font_families(files + 'STIXGeneral.ttf')
    assert families == (LATIN, 'STIXGeneral')
    only_stix = '\u2a6d'  # a mathematical sign
    assert can_draw(only_stix, families) and not can_draw(only_stix, (LATIN,))


def test_what_is_no_font_is_refused(tmp_path):
    gone, text = tmp_path / 'gone.ttf', tmp_path / 'text.ttf'
    text.write_text('not a font')
    with pytest.raises(FileNotFoundError, match=r'gone\.ttf does not exist'):
        font_families(str(gone))
    with pytest.raises(ValueError, match=r'text\.ttf is not a font'):
        font_families(str(text))
