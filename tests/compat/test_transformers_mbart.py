from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_mbart import SIZES

from mmsign.compat.transformers_mbart import (
    decode_step,
    load_mbart,
    new_mbart,
    reorder_cache,
)

SIZE = 40


def test_the_defaults_are_those_of_the_recipe():
    config = new_mbart(SIZE, **SIZES).config
    assert (config.dropout, config.attention_dropout) == (0.3, 0.1)
    assert config.scale_embedding
    assert config.vocab_size == SIZE


def test_a_misspelt_setting_is_told():
    with pytest.raises(ValueError, match='encoder_layer: no setting'):
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
    with pytest.raises(FileNotFoundError, match=r'no .*config.json'):
        load_mbart(tmp_path)
    new_mbart(SIZE, **SIZES).save_pretrained(tmp_path)
    weights = tmp_path / 'model.safetensors'
    tensors = load_file(weights)
    tensors.pop('model.decoder.layer_norm.weight')
    save_file(tensors, weights, metadata=dict(format='pt'))
    with pytest.raises(ValueError, match='1 tensors of mBART are missing'):
        load_mbart(tmp_path)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match='holds no weights of mBART'):
        load_mbart(tmp_path)
    (tmp_path / 'config.json').write_text('{')
    with pytest.raises(ValueError, match='is not JSON'):
        load_mbart(tmp_path)


def test_one_token_at_a_time_is_the_same_as_all_at_once():
    torch.manual_seed(0)
    network = new_mbart(SIZE, **SIZES).eval()
    decoder = network.get_decoder()
    states, mask = torch.randn(2, 4, 16), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    tokens = torch.randint(4, SIZE, (2, 5))
    whole = decoder(
        input_ids=tokens, encoder_hidden_states=states, encoder_attention_mask=mask
    )[0]
    cache = None
    for index in range(5):
        found, cache = decode_step(decoder, tokens[:, index], states, mask, cache)
        torch.testing.assert_close(found, whole[:, index], atol=1e-5, rtol=1e-4)
    # Rows change places in the cache as beams do; what follows then fits them. Rows
    # of different sentences would need their states moved as well.
    cache = reorder_cache(cache, torch.tensor([0, 0]))
    tokens = torch.cat([tokens[[0, 0]], torch.tensor([[5], [6]])], dim=1)
    found, _ = decode_step(decoder, tokens[:, -1], states[[0, 0]], mask[[0, 0]], cache)
    again = decoder(
        input_ids=tokens,
        encoder_hidden_states=states[[0, 0]],
        encoder_attention_mask=mask[[0, 0]],
    )[0]
    torch.testing.assert_close(found[0], again[0, -1], atol=1e-5, rtol=1e-4)
