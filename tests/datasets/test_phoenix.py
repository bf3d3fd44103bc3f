import pickle

import pytest

from mmsign.datasets.phoenix import Phoenix2014Dataset, Phoenix2014TDataset


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
    with pytest.raises(FileNotFoundError, match='data_root must be the folder'):
        Phoenix2014Dataset(data_root=str(tmp_path), split='dev')
