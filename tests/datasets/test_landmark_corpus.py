import pytest

from mmsign.datasets import SignFolderDataset
from mmsign.datasets.io.landmark_sources import Recording
from mmsign.datasets.landmark_corpus import (
    deal_splits,
    described,
    read_labels,
    write_manifest,
)
from mmsign.errors import DataError


def recording(label=None, name='book/1', signer='') -> Recording:
    return Recording(name, f'/x/{name}.npy', lambda table: None, label, signer)


def test_a_table_wins_over_what_a_recording_says(tmp_path):
    path = tmp_path / 'labels.csv'
    path.write_text('id,glosses,signer,other\nbook/1,I BOOK,Ann,x\nbook/2,,Ben,\n')
    labels = read_labels(path)
    assert described(recording('book'), labels) == dict(
        id='book/1', glosses='I BOOK', signer='Ann'
    )
    # Nothing is signed: that can be said in a table alone.
    assert described(recording('book', 'book/2'), labels)['glosses'] == ''
    row = dict(id='book/1', glosses='book', signer='Cy')
    assert described(recording('book', signer='Cy'), None) == row
    path.write_text('id,split\nbook/1,dev\n')
    assert described(recording('book', signer='Cy'), read_labels(path)) == row | dict(
        split='dev'
    )


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (recording(), r'/x/book/1\.npy: nothing says its gloss'),
        (recording(''), "'' would be 0 glosses"),
        (recording('thank you'), "'thank you' would be 2 glosses"),
        (recording('a\0b'), 'no legible gloss'),
        (recording('\u202eback'), 'no legible gloss'),
        (recording('book', '../1'), 'no usable name'),
    ],
)
def test_labels_that_are_no_glosses(given, message):
    with pytest.raises(DataError, match=message):
        described(given, None)
    with pytest.raises(DataError, match='the table of labels has no'):
        described(recording('book'), {})


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'line 1: expected the column id'),
        ('id,text\n', 'line 1: expected the column id and any of glosses'),
        ('glosses\nBOOK\n', 'line 1: expected the column id'),
        ('id,glosses\na\n', 'line 2: expected 2 fields'),
        ('id,glosses\na,BOOK,x\n', 'line 2: expected 2 fields'),
        ('id,glosses\na,"BOOK\n', 'no CSV'),
        ('id,glosses\na,BOOK\na,CAR\n', "line 3: clip 'a' occurs twice"),
        ('id,split\na,val\n', "line 2: split 'val' is none of"),
    ],
)
def test_broken_tables(tmp_path, text, message):
    (tmp_path / 'l.csv').write_text(text)
    with pytest.raises(DataError, match=rf'l\.csv.*{message}'):
        read_labels(tmp_path / 'l.csv')


def rows(**counts: int) -> list[dict[str, str]]:
    return [
        dict(id=f'{gloss}{n}', glosses=gloss, signer='')
        for gloss, count in counts.items()
        for n in range(count)
    ]


def split_of(dealt: list[dict[str, str]], split: str) -> list[str]:
    return [row['id'] for row in dealt if row['split'] == split]


def test_splits_are_dealt_sign_by_sign():
    dealt = rows(A=30, B=3)
    deal_splits(dealt)
    assert split_of(dealt, 'dev') == ['A24', 'A25', 'A26', 'B1']
    assert split_of(dealt, 'test') == ['A27', 'A28', 'A29', 'B2']
    # Sentences are all different.
    dealt = rows(**{f'S{n}x': 1 for n in range(20)})
    deal_splits(dealt)
    assert split_of(dealt, 'dev') == ['S8x0', 'S18x0']
    assert split_of(dealt, 'test') == ['S9x0', 'S19x0']
    # Each signer's.
    dealt = [row | dict(signer=s, id=s + row['id']) for s in 'ab' for row in rows(A=4)]
    deal_splits(dealt)
    assert split_of(dealt, 'test') == ['aA3', 'bA3']


def test_splits_that_are_there_stay():
    dealt = [row | dict(split='test') for row in rows(A=3)]
    deal_splits(dealt)
    assert len(split_of(dealt, 'test')) == 3
    dealt[1]['split'] = ''
    with pytest.raises(DataError, match='A1 has no split, others have'):
        deal_splits(dealt)


@pytest.mark.parametrize('fps', [None, 29.97])
def test_the_manifest_is_read_back(tmp_path, fps):
    given = rows(A=3, B=3)
    given[0] |= dict(glosses='A "x" B,C', signer='Ünal')
    for row, split in zip(given, ['train'] * 4 + ['dev', 'test']):
        row['split'] = split
    write_manifest(tmp_path / 'manifest.csv', [row | dict(fps=fps) for row in given])
    corpus = SignFolderDataset(str(tmp_path), 'train')
    first = corpus.get_data_info(0)
    assert first['glosses'] == ['A', '"x"', 'B,C'] and first['signer'] == 'Ünal'
    assert len(corpus) == 4 and first['frames'] == '' and first['source_fps'] == fps
    assert read_labels(tmp_path / 'manifest.csv')['B2']['split'] == 'test'
