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
from mmsign.decoding.text_beam import text_beam_search
from mmsign.errors import ConfigError, DataError
from mmsign.models.mbart import MBart, load_gloss_table, save_gloss_table, translate
from mmsign.structures import SignDataSample
from mmsign.text import GlossTokens
from mmsign.vocab import GlossVocabulary

GLOSSES = GlossVocabulary(['RAIN', 'SUN'])
# As sentences spell them.
SPELT = GlossVocabulary(['REGEN', 'WIND'])


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


def sample(text, clip_id):
    return SignDataSample(metainfo=dict(text=text, clip_id=clip_id))


def test_targets(mbart):
    targets = mbart.targets([sample(TEXTS[0], 'a'), sample('regen', 'b')])
    assert targets[0].tolist() == mbart.text.encode(TEXTS[0], 'a')
    assert targets[1, -1] == mbart.text.pad_id
    for text in (None, ''):
        with pytest.raises(DataError, match='clip c7'):
            mbart.targets([sample('regen', 'b'), sample(text, 'c7')])


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
    found = translate([mbart.encode(*source)])
    assert [p.text for p in found] == [mbart.sentence(row) for row in theirs.tolist()]
    assert all(len(p.n_best) <= beam_width and p.score < 0 for p in found)
    assert all(p.n_best[0] == (p.text, p.score) for p in found)


def mean_of_prefixes(sources, beams):
    """The next tokens by the mean of several networks, none of which keeps a cache."""
    repeated = [(n, [x.repeat_interleave(beams, 0) for x in xs]) for n, xs in sources]
    prefixes = torch.empty(0)

    @torch.no_grad()
    def next_tokens(tokens, order):
        nonlocal prefixes
        before = [] if order is None else [prefixes[order]]
        prefixes = torch.cat([*before, tokens[:, None]], dim=1)
        logits = [
            mbart.network(
                inputs_embeds=inputs, attention_mask=mask, decoder_input_ids=prefixes
            ).logits[:, -1]
            for mbart, (inputs, mask) in repeated
        ]
        return torch.stack(logits).softmax(-1).mean(0).log()

    return next_tokens


def test_several_networks_agree_with_a_search_without_cache():
    torch.manual_seed(1)
    # Large weights make the beams compete and change places.
    config = mbart_config(beam_width=2, init_std=1.0)
    networks = [MBart(GLOSSES, **config).eval() for _ in range(3)]
    sentences = [['SUN', 'RAIN', 'SUN'], ['RAIN']]
    sources = [(network, network.embed_glosses(sentences)) for network in networks]
    found = translate([network.encode(*source) for network, source in sources])
    first, ids = networks[0], (networks[0].start_id, networks[0].text.eos_id)
    options = dict(beam_width=2, max_length=12)
    expected = text_beam_search(mean_of_prefixes(sources, 2), 2, *ids, **options)
    assert found[0].text != found[1].text
    for one, hypotheses in zip(found, expected, strict=True):
        assert [text for text, _ in one.n_best] == [
            first.sentence(hypothesis.ids) for hypothesis in hypotheses
        ]
        assert one.score == pytest.approx(hypotheses[0].score, abs=1e-4)
    alone, twice = (translate([first.encode(*sources[0][1])] * n) for n in (1, 2))
    assert [one.text for one in alone] == [one.text for one in twice]


def test_a_prepared_directory(folder):
    mbart = MBart(GLOSSES, 'de_DE', folder=str(folder), frozen_embeddings=True)
    config = mbart.network.config
    assert (config.dropout, config.attention_dropout) == (0.3, 0.1)
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

    with pytest.raises(ConfigError, match='SNOW'):
        build(GlossVocabulary(['SNOW', 'SUN']))
    (folder / 'gloss_embedding.txt').unlink()
    with pytest.raises(FileNotFoundError, match='gloss_embedding.txt'):
        build()
    assert build(gloss_table=False).gloss_embedding.num_embeddings == 7
    (folder / 'text_vocabulary.json').unlink()
    with pytest.raises(ConfigError, match=str(folder)):
        build()
    path = folder / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(model_type='bart')))
    with pytest.raises(ConfigError, match="config.json .* 'bart'"):
        build()
    (folder / 'sentencepiece.bpe.model').unlink()
    with pytest.raises(FileNotFoundError, match='sentencepiece.bpe.model'):
        build()


def test_faults():
    for arguments, name in (
        (mbart_config(language='deutsch'), 'deutsch'),
        (dict(language='de_DE'), 'neither folder'),
        (mbart_config(d_modell=3), 'd_modell'),
    ):
        with pytest.raises(ConfigError, match=name):
            MBart(GLOSSES, **arguments)


def test_without_a_folder_glosses_begin_as_the_words_they_spell():
    text = tiny_text_vocabulary()
    mbart = MBart(SPELT, **mbart_config())
    table, embeddings = mbart.gloss_embedding.weight, mbart.network.model.shared.weight
    for row, gloss in ((4, 'regen'), (5, 'wind')):
        torch.testing.assert_close(table[row], embeddings[text.pieces(gloss)].mean(0))
    assert torch.equal(table[:4], embeddings[:4])
    assert torch.equal(table[6], embeddings[text.language_id('de_DE')])
    # They share values, not memory: training the one leaves the other alone.
    assert table.data_ptr() != embeddings.data_ptr()


def test_without_a_table_glosses_begin_at_random():
    mbart = MBart(SPELT, **mbart_config(gloss_table=False))
    table, embeddings = mbart.gloss_embedding.weight, mbart.network.model.shared.weight
    assert not torch.equal(table[:4], embeddings[:4])


def test_a_table_is_read_by_the_names_of_its_rows(tmp_path):
    glosses = GlossTokens(SPELT)
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
