from __future__ import annotations

import pytest
import torch
from tiny_mbart import mbart_config
from tiny_models import GLOSSES
from tiny_translators import samples

from mmsign.errors import ConfigError
from mmsign.models import GlossToText


@pytest.mark.slow
def test_learns_to_translate_two_sentences():
    torch.manual_seed(0)
    changes = dict(dropout=0.0, attention_dropout=0.0, max_length=30)
    network = GlossToText(dict(glosses=GLOSSES), mbart_config(**changes))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    clips = samples()
    for _ in range(60):
        optimizer.zero_grad()
        losses = network({}, clips, 'loss')
        assert list(losses) == ['loss_translation_gloss']
        losses['loss_translation_gloss'].backward()
        optimizer.step()
    found = network.eval()({}, clips, 'predict')
    assert [s.translations['gloss'].text for s in found] == [s.text for s in clips]


def test_modes():
    network = GlossToText(dict(glosses=GLOSSES), mbart_config())
    logits = network({}, samples(), 'tensor')
    assert logits.shape[::2] == (2, len(network.text_vocabulary))
    with pytest.raises(ConfigError, match='guess'):
        network({}, samples(), 'guess')
    assert set(network.required_state()) == set(network.state_dict())
