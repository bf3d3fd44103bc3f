from __future__ import annotations

import pytest
import torch
from tiny_mbart import SIZES
from tiny_run import load_tool
from tiny_text import tiny_text_vocabulary

from mmsign.compat.transformers_mbart import load_mbart, new_mbart
from mmsign.errors import ConfigError
from mmsign.models.mbart import MBart
from mmsign.text import TextVocabulary
from mmsign.vocab import GlossVocabulary

tool = load_tool('convert/prune_mbart')


@pytest.fixture
def mbart(tmp_path):
    """A directory with a whole mBART, tiny."""
    torch.manual_seed(0)
    vocabulary, folder = tiny_text_vocabulary(), tmp_path / 'mbart'
    network = new_mbart(len(vocabulary), **SIZES)
    network.final_logits_bias.copy_(torch.randn(1, len(vocabulary)))
    network.save_pretrained(folder)
    (folder / 'sentencepiece.bpe.model').write_bytes(vocabulary.model)
    return folder


def test_kept_ids_keep_their_weights(mbart, phoenix_tree, tmp_path, capsys):
    out = tmp_path / 'out'
    tool.main([str(mbart), str(phoenix_tree), str(out)])
    # The texts of this corpus have a letter that the tiny model lacks.
    assert '2 of 2 training sentences come back changed' in capsys.readouterr().out
    whole, pruned = TextVocabulary.from_folder(mbart), TextVocabulary.from_folder(out)
    assert len(pruned) < len(whole)
    before, after = load_mbart(mbart), load_mbart(out)
    old = list(pruned.old_ids())
    assert torch.equal(after.model.shared.weight, before.model.shared.weight[old])
    assert torch.equal(after.lm_head.weight, before.lm_head.weight[old])
    assert torch.equal(after.final_logits_bias, before.final_logits_bias[:, old])
    for name, value in before.model.decoder.layers.state_dict().items():
        assert torch.equal(after.model.decoder.layers.state_dict()[name], value), name


def test_glosses_begin_as_the_mean_of_their_pieces(mbart, phoenix_tree, tmp_path):
    out = str(tmp_path / 'out')
    tool.main([str(mbart), str(phoenix_tree), out])
    glosses = GlossVocabulary(['NORD', 'REGEN', 'SONNE'])
    found = MBart(glosses, 'de_DE', folder=out)
    table = found.gloss_embedding.weight
    whole = TextVocabulary.from_folder(mbart)
    embeddings = load_mbart(mbart).model.shared.weight
    for row, gloss in enumerate(glosses.glosses, 4):
        pieces = whole.pieces(gloss.lower())
        assert len(pieces) >= 1
        torch.testing.assert_close(table[row], embeddings[pieces].mean(0))
    assert torch.equal(table[:4], embeddings[:4])
    assert torch.equal(table[7], embeddings[whole.language_id('de_DE')])


def test_faults(mbart, phoenix_tree, tmp_path):
    out = str(tmp_path / 'out')
    with pytest.raises(ConfigError, match='nowhere'):
        tool.main([str(mbart), 'nowhere', out])
    with pytest.raises(ConfigError, match='Toys'):
        tool.main([str(mbart), str(phoenix_tree), out, '--dataset', 'Toys'])
    with pytest.raises(ConfigError, match='de'):
        tool.main([str(mbart), str(phoenix_tree), out, '--language', 'de'])
    tiny_text_vocabulary().prune(['regen']).save(mbart)
    with pytest.raises(ConfigError, match=str(mbart)):
        tool.main([str(mbart), str(phoenix_tree), out])
    (mbart / 'sentencepiece.bpe.model').unlink()
    with pytest.raises(FileNotFoundError, match='sentencepiece.bpe.model'):
        tool.main([str(mbart), str(phoenix_tree), out])
