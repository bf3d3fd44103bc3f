"""mBART's ids, pruning, and what cannot be expressed."""

from __future__ import annotations

import io
import json

import pytest
import sentencepiece
from tiny_text import TEXTS, tiny_text_vocabulary

from mmsign.errors import ConfigError, DataError
from mmsign.text import LANGUAGE_CODES, TextVocabulary, train_sentencepiece


@pytest.fixture
def whole():
    return tiny_text_vocabulary()


def test_ids_are_those_of_mbart(whole):
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(whole.model)
    pieces = processor.GetPieceSize()
    assert len(whole) == pieces + 27
    assert [whole.language_id(c) for c in LANGUAGE_CODES] == list(
        range(pieces + 1, pieces + 26)
    )
    assert whole.encode(TEXTS[0], 'c') == [
        *(piece + 1 for piece in processor.Encode(TEXTS[0])),
        2,
    ]


def test_decode_leaves_out_what_is_no_text(whole):
    ids = whole.encode(TEXTS[0], 'c')
    german = whole.language_id('de_DE')
    assert whole.decode([german, 0, *ids, 1, 1, len(whole) - 1]) == TEXTS[0]


def test_pruning_keeps_what_the_corpus_needs(whole):
    pruned = whole.prune(TEXTS[:2])
    assert len(pruned) < len(whole)
    assert [pruned.decode(pruned.encode(t, 'c')) for t in TEXTS[:2]] == list(TEXTS[:2])
    # The map takes every new id to the old id of the same piece.
    old = pruned.old_ids()
    assert [old[i] for i in pruned.encode(TEXTS[0], 'c')] == whole.encode(TEXTS[0], 'c')
    for code in ('de_DE', 'zh_CN'):
        assert old[pruned.language_id(code)] == whole.language_id(code)
    assert pruned.prune(TEXTS[:1]) == whole.prune(TEXTS[:1])


def test_nothing_becomes_unknown_silently(whole):
    assert whole.round_trip_loss('viel  regen .') is None
    assert 'x' not in whole.round_trip_loss('viel x .')
    pruned = whole.prune(TEXTS[:1])
    assert pruned.round_trip_loss(TEXTS[3]) is not None
    assert pruned.unk_id in pruned.encode(TEXTS[3], 'c')


def test_files(whole, tmp_path):
    pruned = whole.prune(TEXTS[:2])
    pruned.save(tmp_path)
    again = TextVocabulary.from_folder(tmp_path)
    assert again == pruned != whole
    assert hash(again) == hash(pruned)
    assert again.fingerprint() != whole.fingerprint()
    # An mBART directory has the model alone.
    (tmp_path / 'text_vocabulary.json').unlink()
    assert TextVocabulary.from_folder(tmp_path) == whole


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='sentencepiece.bpe.model'):
        TextVocabulary.from_folder(tmp_path)


def test_files_that_do_not_belong_together_are_refused(whole, tmp_path):
    whole.prune(TEXTS[:2]).save(tmp_path)
    model, table = (
        tmp_path / 'sentencepiece.bpe.model',
        tmp_path / 'text_vocabulary.json',
    )
    content, data = json.loads(table.read_text()), model.read_bytes()
    for changed, weights in (
        (content, data + b'\0'),
        (content | dict(version=2), data),
        (content | dict(kept=4), data),
        ({k: v for k, v in content.items() if k != 'kept'}, data),
        ([], data),
    ):
        model.write_bytes(weights)
        table.write_text(json.dumps(changed))
        with pytest.raises(DataError, match='text_vocabulary.json'):
            TextVocabulary.from_folder(tmp_path)


@pytest.mark.parametrize('kept', [[0, 1, 3, 2], [1, 2, 3], [0, 1, 2, 3, 9, 9]])
def test_kept_ids_must_ascend_from_the_special_tokens(whole, kept):
    with pytest.raises(DataError, match='ascend'):
        TextVocabulary(whole.model, kept)


def test_files_and_texts_that_do_not_fit(whole):
    with pytest.raises(DataError, match='nonsense.model'):
        TextVocabulary(b'nonsense', name='nonsense.model')
    with pytest.raises(DataError, match='10000'):
        TextVocabulary(whole.model, [0, 1, 2, 3, 10_000])
    with pytest.raises(DataError, match='c7'):
        whole.encode('  ', 'c7')
    with pytest.raises(DataError, match='de_DE'):
        TextVocabulary(whole.model, [0, 1, 2, 3, 5]).language_id('de_DE')
    with pytest.raises(DataError, match='10000'):
        whole.decode([10_000])
    with pytest.raises(ConfigError, match="'de'"):
        whole.language_id('de')


def test_a_model_with_other_special_pieces_is_refused():
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(TEXTS),
        model_writer=buffer,
        vocab_size=60,
        model_type='bpe',
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        minloglevel=2,
    )
    with pytest.raises(DataError, match='pieces'):
        TextVocabulary(buffer.getvalue())


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
