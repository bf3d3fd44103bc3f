"""The translation path computes what the authors' computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_mbart import GOLDEN, golden_slt_weights, mbart_config

from mmsign import compat
from mmsign.errors import CheckpointError
from mmsign.models import MBartTranslationHead
from mmsign.models.mbart import translate
from mmsign.structures import SignDataSample
from mmsign.vocab import GlossVocabulary

GLOSSES = GlossVocabulary(['RAIN', 'SUN', 'WIND'])


class GoldenVocabulary:
    """120 ids that stand for nothing; German is 6."""

    pad_id, eos_id = 1, 2
    name = 'golden'

    def __len__(self):
        return 120

    def language_id(self, code):
        return 6

    def encode(self, text, clip_id):
        return [*map(int, text.split()), self.eos_id]

    def decode(self, ids):
        return ' '.join(map(str, ids))


@pytest.fixture(scope='module')
def golden():
    return dict(np.load(GOLDEN / 'golden_slt_seed0.npz'))


@pytest.fixture(scope='module')
def golden_head():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            'mmsign.models.mbart.TextVocabulary.from_folder',
            lambda folder: GoldenVocabulary(),
        )
        head = MBartTranslationHead(
            in_channels=512,
            # Twelve rows: four special ones, seven glosses, the language.
            glosses=GlossVocabulary([f'G{index}' for index in range(7)]),
            mbart=dict(
                language='de_DE',
                vocabulary='golden',
                gloss_table=False,
                max_length=20,
                d_model=64,
                encoder_layers=2,
                decoder_layers=2,
                encoder_attention_heads=4,
                decoder_attention_heads=4,
                encoder_ffn_dim=128,
                decoder_ffn_dim=128,
            ),
        ).eval()
    state = {}
    for name, value in golden_slt_weights().items():
        if 'gloss_embedding' in name:
            # Their language row is 7, ours the last.
            value = value[[*range(7), *range(8, 12), 7]]
        name = name.replace('translation_network.model.', 'mbart.network.')
        name = name.replace('translation_network.gloss', 'mbart.gloss')
        state[name.replace('vl_mapper.mapping.', 'mapper.')] = value
    missing, unexpected = head.load_state_dict(state, strict=False)
    assert not unexpected
    assert all('embed_tokens' in m or 'lm_head' in m or 'bias' in m for m in missing)
    return head


@pytest.fixture(scope='module')
def golden_inputs(golden):
    lengths = torch.as_tensor(golden['lens'])
    features = np.random.default_rng(0).standard_normal((2, int(lengths.max()), 512))
    return torch.from_numpy(features.astype(np.float32)), lengths


@torch.no_grad()
def test_agrees_with_the_authors_translation_path(golden_head, golden_inputs, golden):
    inputs, mask = golden_head.encoder_inputs(*golden_inputs)
    np.testing.assert_allclose(inputs, golden['inputs_embeds'], atol=1e-5)
    assert mask.tolist() == golden['attention_mask'].tolist()
    samples = [
        SignDataSample(metainfo=dict(clip_id='a', text='10 20 30')),
        SignDataSample(metainfo=dict(clip_id='b', text='50')),
    ]
    targets = golden_head.mbart.targets(samples)
    assert targets.tolist() == golden['labels'].tolist()
    logits = golden_head.mbart.logits(inputs, mask, targets)
    np.testing.assert_allclose(logits, golden['logits'], atol=1e-4)
    loss = golden_head.loss(*golden_inputs, samples)
    assert float(loss) == pytest.approx(float(golden['translation_loss']), rel=1e-5)


def test_beam_5_finds_the_authors_sequences(golden_head, golden_inputs, golden):
    found = translate([golden_head.encode(*golden_inputs)])
    ids = [[6, *map(int, one.text.split()), 2] for one in found]
    assert ids == golden['beam5'].tolist()
    scores = [one.score for one in found]
    assert scores == pytest.approx(golden['beam5_scores'].tolist(), abs=1e-5)


def test_the_other_clips_of_a_batch_do_not_matter():
    torch.manual_seed(0)
    head = MBartTranslationHead(8, GLOSSES, mbart_config()).eval()
    features, lengths = torch.randn(3, 6, 8), torch.tensor([6, 3, 1])
    together = translate([head.encode(features, lengths)])
    for x, length, expected in zip(features, lengths, together):
        [found] = translate([head.encode(x[None, :length], length[None])])
        assert found.text == expected.text
        assert found.score == pytest.approx(expected.score, abs=1e-4)


def test_starts_from_a_gloss_to_text_checkpoint(tmp_path):
    def head(**changes):
        config = mbart_config(**changes)
        return MBartTranslationHead(8, GLOSSES, config, g2t_checkpoint=path)

    torch.manual_seed(0)
    path = str(tmp_path / 'g2t.pth')
    trained, found = head(), head()
    state = {k: v for k, v in trained.state_dict().items() if k.startswith('mbart.')}
    compat.write_checkpoint(dict(state_dict=state), path)
    found.init_weights()
    for key, value in state.items():
        assert torch.equal(found.state_dict()[key], value), key
    assert not torch.equal(found.mapper[0].weight, trained.mapper[0].weight)
    with pytest.raises(CheckpointError, match='GlossToText'):
        head(d_model=32).init_weights()
