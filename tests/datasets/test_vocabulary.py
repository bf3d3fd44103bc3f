import gzip
import pickle

import pytest

from mmsign.datasets.vocabulary import build_vocabulary
from mmsign.vocab import GlossVocabulary


def test_every_source(phoenix_tree, tmp_path):
    corpus = build_vocabulary(
        dict(dataset='Phoenix2014TDataset', data_root=str(phoenix_tree))
    )
    assert corpus.glosses == ('NORD', 'REGEN', 'SONNE')
    path = tmp_path / 'vocab.txt'
    corpus.save(path)
    assert build_vocabulary(dict(file=str(path))).glosses == corpus.glosses
    listed = build_vocabulary(dict(glosses=['B', 'A']))
    assert listed.glosses == ('B', 'A') and build_vocabulary(listed) is listed
    aliased = build_vocabulary(dict(glosses=['B'], aliases=dict(b='B')))
    assert aliased.encode(['b'], 'x') == [1]


def test_files_of_the_authors(phoenix_tree, tmp_path):
    clips = [dict(name='a', gloss='Nord HAGEL')]
    (tmp_path / 'p.train').write_bytes(gzip.compress(pickle.dumps(clips)))
    ids = {'<si>': 0, '<unk>': 1, 'nord': 2, 'regen': 3, 'sonne': 4}
    (tmp_path / 'ids.pkl').write_bytes(pickle.dumps(ids))
    file = dict(slrt_file=str(tmp_path / 'ids.pkl'))
    assert build_vocabulary(file).glosses == ('<unk>', 'nord', 'regen', 'sonne')
    corpus = dict(dataset='Phoenix2014TDataset', data_root=str(phoenix_tree))
    spelled = build_vocabulary(file | corpus)
    assert spelled.glosses == ('<unk>', 'NORD', 'REGEN', 'SONNE')
    corpus['ann_file'] = str(tmp_path / 'p.{split}')
    assert build_vocabulary(corpus).glosses == ('HAGEL', 'Nord')
    assert build_vocabulary(file | corpus).glosses == (
        '<unk>',
        'Nord',
        'regen',
        'sonne',
    )


@pytest.mark.parametrize('cfg', [dict(), dict(glosses='AB'), 'x', dict(dataset='S3D')])
def test_anything_else_is_refused(cfg):
    with pytest.raises((TypeError, ValueError), match='vocab: '):
        build_vocabulary(cfg)


def test_a_dataset_that_is_no_corpus():
    with pytest.raises(ValueError, match='no sign language corpus'):
        build_vocabulary(dict(dataset='VideoDataset', data_root='x'))


def test_vocabulary_type():
    assert isinstance(build_vocabulary(dict(glosses=['A'])), GlossVocabulary)
