from __future__ import annotations

import pytest
from tiny_text import TEXTS

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


def test_faults():
    with pytest.raises(ValueError, match='no sentences'):
        train_sentencepiece(['', '  '], 100)
    with pytest.raises(ValueError, match='no sentencepiece model of 5 pieces'):
        train_sentencepiece(TEXTS, 5)
