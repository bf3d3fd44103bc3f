from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_mbart import SIZES

from mmsign.compat.transformers_mbart import NextTokens, load_mbart, new_mbart
from mmsign.errors import ConfigError, DataError

SIZE = 40


def test_a_new_network_and_its_settings():
    config = new_mbart(SIZE, **SIZES).config
    assert config.scale_embedding and config.vocab_size == SIZE
    with pytest.raises(ConfigError, match='encoder_layer'):
        new_mbart(SIZE, encoder_layer=3)


@pytest.mark.parametrize('form', ['safetensors', 'bin'])
def test_both_forms_of_weights_are_read(tmp_path, form):
    network = new_mbart(SIZE, **SIZES)
    network.save_pretrained(tmp_path)
    if form == 'bin':
        (tmp_path / 'model.safetensors').unlink()
        torch.save(network.state_dict(), tmp_path / 'pytorch_model.bin')
    again = load_mbart(tmp_path, dropout=0.0)
    assert again.config.dropout == 0.0
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_incomplete_directories_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='config.json'):
        load_mbart(tmp_path)
    new_mbart(SIZE, **SIZES).save_pretrained(tmp_path)
    weights = tmp_path / 'model.safetensors'
    tensors = load_file(weights)
    tensors.pop('model.decoder.layer_norm.weight')
    save_file(tensors, weights, metadata=dict(format='pt'))
    with pytest.raises(ConfigError, match='model.decoder.layer_norm.weight'):
        load_mbart(tmp_path)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        load_mbart(tmp_path)
    (tmp_path / 'config.json').write_text('{')
    with pytest.raises(DataError, match='config.json'):
        load_mbart(tmp_path)


def test_one_token_at_a_time_is_the_same_as_all_at_once():
    torch.manual_seed(0)
    network = new_mbart(SIZE, **SIZES).eval()
    # Two beams of one sentence: the rows change places.
    source = torch.randn(1, 4, 16).expand(2, -1, -1), torch.tensor([[1, 1, 1, 0]] * 2)
    names = 'encoder_hidden_states', 'encoder_attention_mask'
    next_tokens, order = NextTokens(network, *source), None
    tokens = torch.empty(2, 0, dtype=torch.long)
    for _ in range(6):
        tokens = torch.cat([tokens, torch.randint(4, SIZE, (2, 1))], dim=1)
        hidden = network.get_decoder()(input_ids=tokens, **dict(zip(names, source)))[0]
        expected = network.lm_head(hidden[:, -1]).log_softmax(-1)
        found = next_tokens(tokens[:, -1], order)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
        order = torch.randint(2, (2,))
        tokens = tokens[order]
