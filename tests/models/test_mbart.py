"""mBART with its gloss table: inputs, targets, and directories that do not fit."""

from __future__ import annotations

import json
import math

import pytest
import torch
from safetensors.torch import save_file
from tiny_mbart import SIZES, mbart_config
from tiny_text import TEXTS, tiny_text_vocabulary

from mmsign.compat.transformers_mbart import new_mbart
from mmsign.models.mbart import MBart
from mmsign.vocab import GlossVocabulary

GLOSSES = GlossVocabulary(['RAIN', 'SUN'])


@pytest.fixture(scope='module')
def mbart():
    torch.manual_seed(0)
    return MBart(GLOSSES, **mbart_config()).eval()


@pytest.fixture
def folder(tmp_path):
    """A directory as prune_mbart.py writes it."""
    vocabulary = tiny_text_vocabulary().prune(TEXTS[:2])
    new_mbart(len(vocabulary), **SIZES).save_pretrained(tmp_path)
    vocabulary.save(tmp_path)
    symbols = ['<s>', '<pad>', '</s>', '<unk>', 'SUN', 'RAIN', '<gloss>']
    (tmp_path / 'gloss_embedding.txt').write_text('\n'.join(symbols) + '\n')
    table = torch.arange(7 * 16.0).reshape(7, 16)
    save_file(dict(weight=table), tmp_path / 'gloss_embedding.safetensors')
    return tmp_path


def test_glosses_end_with_the_gloss_language(mbart):
    inputs, mask = mbart.embed_glosses([['SUN', 'RAIN'], ['SUN']])
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    table = mbart.gloss_embedding.weight * math.sqrt(16)
    torch.testing.assert_close(inputs[0], table[[5, 4, 2, 6]])
    torch.testing.assert_close(inputs[1, :3], table[[5, 2, 6]])
    assert inputs[1, 3].abs().sum() == 0


def test_features_end_with_the_gloss_language(mbart):
    features = torch.randn(2, 3, 16)
    inputs, mask = mbart.embed_features(features, torch.tensor([3, 1]))
    assert mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    table = mbart.gloss_embedding.weight * 4
    torch.testing.assert_close(inputs[1, 0], features[1, 0] * 4)
    torch.testing.assert_close(inputs[1, 1:3], table[[2, 6]])
    torch.testing.assert_close(inputs[0, 3:], table[[2, 6]])
    assert inputs[1, 3:].abs().sum() == 0


def test_targets(mbart):
    targets = mbart.targets([TEXTS[0], 'regen'], ['a', 'b'])
    assert targets[0].tolist() == mbart.text.encode(TEXTS[0], 'a')
    assert targets[1, -1] == mbart.text.pad_id
    with pytest.raises(ValueError, match='clip b has no sentence'):
        mbart.targets(['regen', None], ['a', 'b'])
    with pytest.raises(ValueError, match='clip a: its sentence .* is empty'):
        mbart.targets([''], ['a'])


def test_the_next_token_is_the_one_of_the_whole_prefix(mbart):
    torch.manual_seed(1)
    inputs, mask = mbart.embed_glosses([['SUN'], ['RAIN', 'SUN']])
    next_tokens = mbart.next_tokens(inputs, mask, beams=2)
    prefixes = torch.full((4, 1), mbart.start_id)
    order = None
    for _ in range(4):
        found = next_tokens(prefixes[:, -1], order)
        logits = mbart.network(
            inputs_embeds=inputs.repeat_interleave(2, 0),
            attention_mask=mask.repeat_interleave(2, 0),
            decoder_input_ids=prefixes,
        ).logits[:, -1]
        torch.testing.assert_close(found, logits.log_softmax(-1), atol=1e-5, rtol=1e-4)
        # Beams change places within their sentence.
        order = torch.tensor([1, 1, 3, 2])
        token = torch.randint(4, len(mbart.text), (4, 1))
        prefixes = torch.cat([prefixes[order], token], dim=1)


@pytest.mark.parametrize('beam_width', [1, 3])
def test_sentences_are_those_of_transformers_own_search(beam_width):
    from transformers import GenerationConfig

    torch.manual_seed(3)
    mbart = MBart(GLOSSES, **mbart_config(beam_width=beam_width, init_std=1.0)).eval()
    source = mbart.embed_glosses([['SUN'], ['RAIN', 'SUN'], []])
    theirs = mbart.network.generate(
        inputs_embeds=source[0],
        attention_mask=source[1],
        generation_config=GenerationConfig(
            num_beams=beam_width,
            do_sample=False,
            length_penalty=mbart.length_penalty if beam_width > 1 else None,
            max_new_tokens=mbart.max_length - 1,
            decoder_start_token_id=mbart.start_id,
            pad_token_id=1,
            eos_token_id=2,
            forced_eos_token_id=2,
        ),
    )
    found = mbart.translate(*source)
    assert [p.text for p in found] == [mbart.sentence(row) for row in theirs.tolist()]
    assert all(len(p.n_best) <= beam_width and p.score < 0 for p in found)
    assert all(p.n_best[0] == (p.text, p.score) for p in found)


def test_a_prepared_directory(folder):
    mbart = MBart(GLOSSES, 'de_DE', folder=str(folder), frozen_embeddings=True)
    assert mbart.network.config.dropout == 0.3
    # Rows are matched by name: RAIN is 4 here, 5 in the file.
    assert mbart.gloss_embedding.weight[4, 0] == 5 * 16
    assert mbart.gloss_embedding.weight[5, 0] == 4 * 16
    frozen = {n for n, p in mbart.named_parameters() if not p.requires_grad}
    assert frozen == {'gloss_embedding.weight', 'network.model.shared.weight'}
    before = mbart.network.model.shared.weight.clone()
    mbart.init_weights()
    assert torch.equal(mbart.network.model.shared.weight, before)


def test_directories_that_do_not_fit(folder):
    def build(glosses=GLOSSES, **config):
        return MBart(glosses, 'de_DE', folder=str(folder), **config)

    with pytest.raises(ValueError, match=r"1 glosses of the vocabulary .*'SNOW'"):
        build(GlossVocabulary(['SNOW', 'SUN']))
    (folder / 'gloss_embedding.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'prune_mbart.py, or set gloss_table'):
        build()
    assert build(gloss_table=False).gloss_embedding.num_embeddings == 7
    (folder / 'text_vocabulary.json').unlink()
    with pytest.raises(ValueError, match='they do not belong together'):
        build()
    (folder / 'sentencepiece.bpe.model').unlink()
    with pytest.raises(FileNotFoundError, match='sentencepiece.bpe.model'):
        build()


def test_faults():
    with pytest.raises(ValueError, match='unknown language code'):
        MBart(GLOSSES, **mbart_config(language='deutsch'))
    with pytest.raises(ValueError, match='neither folder'):
        MBart(GLOSSES, 'de_DE')
    with pytest.raises(ValueError, match='d_modell: no setting of an MBartConfig'):
        MBart(GLOSSES, **mbart_config(d_modell=3))


def test_a_directory_of_another_model_is_refused(folder):
    path = folder / 'config.json'
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | dict(model_type='bart')))
    with pytest.raises(ValueError, match="of type 'bart'; expected 'mbart'"):
        MBart(GLOSSES, 'de_DE', folder=str(folder))
