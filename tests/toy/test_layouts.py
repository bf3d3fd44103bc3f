from pathlib import Path

import pytest

from mmsign.toy.layouts import LAYOUTS, Sentence

SENTENCE = Sentence('clip', 'Signer01', ('A', 'B'), 'a b .')


def test_rows_of_both_corpora():
    assert LAYOUTS['phoenix2014'].row(SENTENCE) == 'clip|clip/1/*.png|Signer01|A B'
    row = LAYOUTS['phoenix2014T'].row(SENTENCE)
    assert row == 'clip|clip/1/*.png|-1|-1|Signer01|A B|a b .'


@pytest.mark.parametrize('name', LAYOUTS)
def test_rows_are_read_back(name):
    layout = LAYOUTS[name]
    found = layout.parse(layout.row(SENTENCE))
    assert (found.clip_id, found.signer, found.glosses) == (
        'clip',
        'Signer01',
        ('A', 'B'),
    )


def test_places():
    layout = LAYOUTS['phoenix2014']
    root = Path('root')
    frames = root / 'features' / 'fullFrame-210x260px' / 'dev' / 'clip' / '1'
    assert layout.frame_folder(root, 'dev', 'clip') == frames
    table = root / 'annotations' / 'manual' / 'dev.corpus.csv'
    assert layout.table_path(root, 'dev') == table


def test_a_row_with_other_fields():
    with pytest.raises(ValueError, match='expected 4 fields'):
        LAYOUTS['phoenix2014'].parse('a|b')
