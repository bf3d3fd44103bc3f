import gzip
import pickle

import pytest

from mmsign.errors import ConfigError, DataError, UnknownGlossError
from mmsign.vocab import GlossVocabulary, build_vocabulary


def test_blank_is_0_and_glosses_keep_their_order():
    vocab = GlossVocabulary(['SUN', 'RAIN'])
    assert len(vocab) == 3 and vocab.blank_index == 0
    assert vocab.encode(['RAIN', 'SUN', 'RAIN'], 'clip') == [2, 1, 2]
    assert vocab.decode([2, 1]) == ['RAIN', 'SUN']
    for impossible in (0, 3, -1):
        with pytest.raises(DataError):
            vocab.decode([impossible])


def test_unknown_gloss_names_clip_and_gloss():
    with pytest.raises(UnknownGlossError, match='clip7.*HAIL'):
        GlossVocabulary(['SUN']).encode(['HAIL'], 'clip7')


def test_from_sentences_is_sorted_and_unique():
    vocab = GlossVocabulary.from_sentences([['B', 'A'], [], ['B']])
    assert vocab.glosses == ('A', 'B')


def test_files(tmp_path):
    path = tmp_path / 'vocab.txt'
    vocab = GlossVocabulary(['ÜBER', 'A+B'])
    vocab.save(path)
    assert path.read_bytes() == 'ÜBER\nA+B\n'.encode()
    assert GlossVocabulary.from_file(path) == vocab
    path.write_bytes('\ufeffÜBER\r\nA+B'.encode())  # as Windows writes it
    assert GlossVocabulary.from_file(path) == vocab
    path.write_text('A\n\nB\n')
    with pytest.raises(DataError, match='vocab.txt'):
        GlossVocabulary.from_file(path)


def test_the_forms_of_unicode_are_one_gloss():
    composed, decomposed = 'GRÜN', 'GRU\u0308N'
    vocab = GlossVocabulary.from_sentences([[decomposed, 'A'], [composed]])
    assert (
        vocab.glosses == ('A', composed) == GlossVocabulary(['A', decomposed]).glosses
    )
    assert vocab.encode([decomposed, composed], 'x') == [2, 2] and decomposed in vocab
    # As ZWNJ and ZWJ are letters, what differs in them is another gloss.
    assert len(GlossVocabulary(['می\u200cروم', 'میروم'])) == 3
    # A checkpoint of two classes keeps them, and answers in one form.
    for glosses in ([composed, decomposed], [decomposed, composed]):
        old = GlossVocabulary(glosses)
        assert len(GlossVocabulary(old.glosses)) == 3
        assert old.encode(glosses, 'x') == [1, 1]
        assert old.decode([1, 2]) == [composed] * 2


@pytest.mark.parametrize('glosses', [['A', 'A'], [''], ['<blank>'], ['A B'], [1]])
def test_impossible_glosses(glosses):
    with pytest.raises(DataError):
        GlossVocabulary(glosses)


def test_an_alias_is_learned_as_its_gloss():
    vocab = GlossVocabulary(['A', 'B'], aliases={'b': 'B'})
    assert len(vocab) == 3 and 'b' in vocab
    assert vocab.encode(['b', 'B', 'A'], 'x') == [2, 2, 1]
    assert vocab.decode([2]) == ['B'] and vocab != GlossVocabulary(['A', 'B'])


@pytest.mark.parametrize('aliases', [{'A': 'B'}, {'x': 'C'}, {'<blank>': 'A'}])
def test_impossible_aliases(aliases):
    with pytest.raises(DataError, match='alias'):
        GlossVocabulary(['A', 'B'], aliases=aliases)


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


@pytest.mark.parametrize(
    'cfg',
    [
        dict(),
        dict(glosses='AB'),
        'x',
        dict(dataset='S3D'),
        dict(dataset='VideoDataset', data_root='x'),
    ],
)
def test_what_is_no_vocabulary_is_refused(cfg):
    with pytest.raises(ConfigError, match='vocab'):
        build_vocabulary(cfg)
