from __future__ import annotations

import pytest
from tiny_text import TEXTS

from mmsign.errors import DataError
from mmsign.text import TextVocabulary, train_sentencepiece


def test_every_training_text_survives_and_the_model_is_reproducible():
    texts = [*TEXTS, '今天，北方有雨？', '¼ ﬁn']
    model = train_sentencepiece(texts, 100)
    assert model == train_sentencepiece(texts, 100)
    vocabulary = TextVocabulary(model)
    assert [vocabulary.round_trip_loss(text) for text in texts] == [None] * len(texts)
    # 100 pieces, <pad>, 25 languages, <mask>.
    assert len(vocabulary) == 127


def test_a_small_corpus_gets_fewer_pieces():
    assert len(TextVocabulary(train_sentencepiece(['a b', 'b a'], 1000))) < 50


@pytest.mark.parametrize('texts, size', [(['', '  '], 100), (TEXTS, 5)])
def test_too_little_to_train_on(texts, size):
    with pytest.raises(DataError):
        train_sentencepiece(texts, size)
