from __future__ import annotations

import pytest
import torch
from tiny_mbart import mbart_config
from tiny_text import tiny_text_vocabulary

from mmsign.errors import ConfigError
from mmsign.models.gloss_table import load_gloss_table, save_gloss_table
from mmsign.models.mbart import MBart
from mmsign.text import GlossTokens
from mmsign.vocab import GlossVocabulary

GLOSSES = GlossVocabulary(['REGEN', 'WIND'])


def test_without_a_folder_glosses_begin_as_the_words_they_spell():
    text = tiny_text_vocabulary()
    mbart = MBart(GLOSSES, **mbart_config())
    table, embeddings = mbart.gloss_embedding.weight, mbart.network.model.shared.weight
    for row, gloss in ((4, 'regen'), (5, 'wind')):
        torch.testing.assert_close(table[row], embeddings[text.pieces(gloss)].mean(0))
    assert torch.equal(table[:4], embeddings[:4])
    assert torch.equal(table[6], embeddings[text.language_id('de_DE')])
    # They share values, not memory: training the one leaves the other alone.
    assert table.data_ptr() != embeddings.data_ptr()


def test_without_a_table_glosses_begin_at_random():
    mbart = MBart(GLOSSES, **mbart_config(gloss_table=False))
    table, embeddings = mbart.gloss_embedding.weight, mbart.network.model.shared.weight
    assert not torch.equal(table[:4], embeddings[:4])


def test_a_table_is_read_by_the_names_of_its_rows(tmp_path):
    glosses = GlossTokens(GLOSSES)
    table = torch.arange(7 * 2.0).reshape(7, 2)
    save_gloss_table(tmp_path, table, glosses)
    assert torch.equal(load_gloss_table(tmp_path, glosses.symbols), table)
    turned = load_gloss_table(tmp_path, ['WIND', 'REGEN'])
    assert torch.equal(turned, table[[5, 4]])
    with pytest.raises(ConfigError, match='SCHNEE'):
        load_gloss_table(tmp_path, ['WIND', 'SCHNEE'])
    (tmp_path / 'gloss_embedding.txt').unlink()
    with pytest.raises(FileNotFoundError, match='gloss_embedding'):
        load_gloss_table(tmp_path, ['WIND'])
