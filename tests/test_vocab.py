import pytest

from mmsign.errors import UnknownGlossError
from mmsign.vocab import GlossVocabulary


def test_blank_is_0_and_words_keep_their_order():
    vocab = GlossVocabulary(['SUN', 'RAIN'])
    assert len(vocab) == 3 and vocab.blank_index == 0
    assert vocab.encode(['RAIN', 'SUN', 'RAIN'], 'clip') == [2, 1, 2]
    assert list(vocab.decode([2, 1])) == ['RAIN', 'SUN']


def test_unknown_gloss_names_clip_and_gloss():
    with pytest.raises(UnknownGlossError) as error:
        GlossVocabulary(['SUN']).encode(['HAIL'], 'clip7')
    assert 'clip7' in str(error.value) and 'HAIL' in str(error.value)


def test_from_sentences_is_sorted_and_unique():
    vocab = GlossVocabulary.from_sentences([['B', 'A'], [], ['B']])
    assert vocab.glosses == ('A', 'B')


def test_round_trip_through_a_file(tmp_path):
    path = tmp_path / 'vocab.txt'
    GlossVocabulary(['ÜBER', 'A+B']).save(path)
    assert GlossVocabulary.from_file(path).glosses == ('ÜBER', 'A+B')


@pytest.mark.parametrize('glosses', [['A', 'A'], [''], ['<blank>']])
def test_impossible_glosses(glosses):
    with pytest.raises(ValueError):
        GlossVocabulary(glosses)


def test_an_alias_is_learned_as_its_gloss():
    vocab = GlossVocabulary(['A', 'B'], aliases={'b': 'B'})
    assert len(vocab) == 3 and 'b' in vocab
    assert vocab.encode(['b', 'B', 'A'], 'x') == [2, 2, 1]
    assert vocab.decode([2]) == ['B'] and vocab != GlossVocabulary(['A', 'B'])


@pytest.mark.parametrize('aliases', [{'A': 'B'}, {'x': 'C'}, {'<blank>': 'A'}])
def test_impossible_aliases(aliases):
    with pytest.raises(ValueError, match='alias'):
        GlossVocabulary(['A', 'B'], aliases=aliases)
