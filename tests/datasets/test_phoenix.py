import gzip
import pickle
from pathlib import Path

import pytest

from mmsign.datasets.phoenix import (
    Phoenix2014Dataset,
    Phoenix2014SI5Dataset,
    Phoenix2014TDataset,
    read_table,
)
from mmsign.errors import DataError


def test_records_of_2014t(phoenix_tree):
    clips = Phoenix2014TDataset(data_root=str(phoenix_tree), split='dev')
    first = clips.get_data_info(0)
    assert first['clip_id'] == 'dev-a' and first['signer'] == 'Sa'
    # Double spaces occur in the corpora; quotation marks mean nothing.
    assert first['glosses'] == ['REGEN', 'NORD'] and first['text'] == 'ein "satz" .'
    assert clips.metainfo['gloss_cleanup'] == 'phoenix2014T'
    assert len(pickle.dumps(clips)) < 20_000


def test_records_of_2014(tmp_path):
    tables = tmp_path / 'annotations' / 'manual'
    tables.mkdir(parents=True)
    row = 'clip|clip/1/*.png|Signer04|ICH  OSTERN'
    (tables / 'dev.corpus.csv').write_text(f'id|folder|signer|annotation\n{row}\n')
    info = Phoenix2014Dataset(data_root=str(tmp_path), split='dev').get_data_info(0)
    assert info['glosses'] == ['ICH', 'OSTERN'] and info['text'] is None
    assert info['frames'].endswith('fullFrame-210x260px/dev/clip/1')


def test_a_missing_corpus_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match='corpus.csv'):
        Phoenix2014Dataset(data_root=str(tmp_path), split='dev')


def test_records_of_the_signer_independent_split(tmp_path):
    tables = tmp_path / 'annotations' / 'manual'
    tables.mkdir(parents=True)
    row = 'clip|clip/1/*.png|Signer05|ICH  OSTERN'
    table = tables / 'test.SI5.corpus.csv'
    table.write_text(f'id|folder|signer|annotation\n{row}\n')
    clips = Phoenix2014SI5Dataset(
        data_root=str(tmp_path), split='test', frames='../multi/fullFrame-210x260px'
    )
    info = clips.get_data_info(0)
    assert info['glosses'] == ['ICH', 'OSTERN'] and info['signer'] == 'Signer05'
    assert info['frames'].endswith('/../multi/fullFrame-210x260px/test/clip/1')
    assert clips.metainfo['gloss_cleanup'] == 'phoenix2014'
    assert clips.metainfo['dataset'] == 'phoenix2014si5'


def write_slrt_files(folder: Path) -> None:
    clip = dict(name='dev/dev-b', signer='Sb', gloss='SONNE', text='x', num_frames=12)
    (folder / 'phoenix14t.dev').write_bytes(gzip.compress(pickle.dumps([clip])))
    clip = clip | dict(name='train/x', gloss='regen SONNE')
    (folder / 'phoenix14t.train').write_bytes(gzip.compress(pickle.dumps([clip])))


def test_the_authors_annotations(phoenix_tree, tmp_path):
    write_slrt_files(tmp_path)
    clips = Phoenix2014TDataset(
        data_root=str(phoenix_tree),
        split='dev',
        ann_file=str(tmp_path / 'phoenix14t.{split}'),
        pipeline=[dict(type='LoadClip', keypoints=False)],
    )
    assert len(clips) == 1 and clips[0]['num_frames'] == 12
    assert clips[0]['clip_id'] == 'dev-b'
    with pytest.raises(FileNotFoundError, match=r'gone\.dev'):
        Phoenix2014TDataset(
            data_root=str(phoenix_tree), split='dev', ann_file='gone.{split}'
        )


def table(tmp_path, content: bytes):
    path = tmp_path / 'table.csv'
    path.write_bytes(content)
    return path


def test_rows_and_their_lines(tmp_path):
    path = table(tmp_path, 'a|b\n1|"x\nö|\n'.encode())
    assert read_table(path, ['a', 'b']) == [
        (f'{path}, line 2', dict(a='1', b='"x')),
        (f'{path}, line 3', dict(a='ö', b='')),
    ]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', r'line 1: expected the columns a\|b'),
        (b'a|c\n', r'line 1: expected the columns a\|b'),
        (b'a|b\n1|2\n1|2|3\n', 'line 3: expected 2 fields'),
        ('a|b\nö|1\n'.encode('latin-1'), 'table.csv.*UTF-8'),
    ],
)
def test_broken_tables(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_table(table(tmp_path, content), ['a', 'b'])
