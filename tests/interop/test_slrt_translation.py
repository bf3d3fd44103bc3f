"""Translation parts of the authors' files, there and back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from tiny_mbart import GOLDEN, golden_slt_weights

from mmsign.errors import CheckpointError, DataError
from mmsign.interop.slrt_corpus import read_numbering
from mmsign.interop.slrt_names import slrt_to_translation
from mmsign.interop.slrt_translation import (
    convert_translation,
    gloss_order,
    read_gloss_rows,
    to_slrt_translation,
)
from mmsign.models import MBartTranslationHead
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND'])
# Their table: another order, a language row in the middle, one gloss of their own.
ROWS = {
    '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3, 'wind': 4, 'gls': 5, 'rain': 6,
}  # fmt: skip
SHARED = 'translation_network.model.model.shared.weight'
TABLE = 'translation_network.gloss_embedding.weight'
BIAS = 'translation_network.model.final_logits_bias'


def equal(a, b) -> bool:
    return set(a) == set(b) and all(torch.equal(a[n], b[n]) for n in a)


def test_rows_are_found_by_name():
    rows, unknown = gloss_order(ROWS, VOCAB)
    assert rows == [0, 1, 2, 3, 6, 3, 4, 5] and unknown == ['SUN']
    more = ROWS | {'snow': 7}
    assert gloss_order(more, VOCAB, 'gls')[0] == rows
    with pytest.raises(CheckpointError, match=r'2 rows .*gls, snow.*--gloss-la'):
        gloss_order(more, VOCAB)
    with pytest.raises(CheckpointError, match='no row xx'):
        gloss_order(ROWS, VOCAB, 'xx')


def test_there_and_back_with_every_row_moved():
    state = golden_slt_weights()
    assert all(map(slrt_to_translation, state))
    generator = torch.Generator().manual_seed(0)
    new = torch.randperm(120, generator=generator).tolist()
    text_ids = {10 * old: row for old, row in enumerate(new)}
    state[BIAS] = torch.rand(1, 120, generator=generator)
    gloss_rows = [0, 1, 2, 3, 9, 8, 3, 7]
    converted, record = convert_translation(state, gloss_rows, text_ids)
    ours = converted.tensors
    assert torch.equal(ours['mbart.gloss_embedding.weight'], state[TABLE][gloss_rows])
    assert torch.equal(ours['mapper.2.bias'], state['vl_mapper.mapping.2.bias'])
    for row, old in ((0, 0), (119, 1190)):
        moved = ours['mbart.network.model.shared.weight'][row]
        assert torch.equal(moved, state[SHARED][text_ids[old]])
        bias = ours['mbart.network.final_logits_bias'][0, row]
        assert bias == state[BIAS][0, text_ids[old]]
    assert 'mbart.network.lm_head.weight' in record['added']
    assert (
        ours['mbart.network.lm_head.weight']
        is ours['mbart.network.model.shared.weight']
    )
    assert equal(to_slrt_translation(ours, record), state)


class _Text:
    """120 ids that stand for nothing; the target language is 6."""

    pad_id, eos_id, unk_id = 1, 2, 3

    def __len__(self):
        return 120

    def pieces(self, text):
        return []

    def language_id(self, code):
        return 6


@torch.no_grad()
def test_the_head_computes_what_the_authors_does(monkeypatch):
    monkeypatch.setattr(
        'mmsign.models.mbart.TextVocabulary.from_folder', lambda folder: _Text()
    )
    sizes = dict(d_model=64, encoder_layers=2, decoder_layers=2)
    for part in ('encoder', 'decoder'):
        sizes |= {f'{part}_attention_heads': 4, f'{part}_ffn_dim': 128}
    mbart = dict(language='de_DE', vocabulary='golden', **sizes)
    head = MBartTranslationHead(in_channels=512, glosses=VOCAB, mbart=mbart).eval()
    # Row 2 ends a sentence, row 7 is the gloss language.
    converted, _ = convert_translation(golden_slt_weights(), [*range(4), 4, 5, 6, 7])
    head.load_state_dict(converted.tensors, strict=True)
    golden = dict(np.load(GOLDEN / 'golden_slt_seed0.npz'))
    lengths = torch.from_numpy(golden['lens'])
    features = np.random.default_rng(0).standard_normal((2, int(lengths.max()), 512))
    source = head.encoder_inputs(torch.from_numpy(features).float(), lengths)
    logits = head.mbart.logits(*source, torch.from_numpy(golden['labels']))
    wanted = torch.from_numpy(golden['logits'])
    assert (logits - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_without_a_record_rows_stay():
    state = golden_slt_weights()
    converted, record = convert_translation(state, list(range(12)))
    assert record['text_rows'] is None and record['other_rows'] == []
    back = to_slrt_translation(converted.tensors)
    assert torch.equal(back[TABLE], state[TABLE]) and set(state) < set(back)
    with pytest.raises(CheckpointError, match='recognizer.x'):
        to_slrt_translation({'recognizer.x': torch.ones(1)})


def test_tables_and_numberings_must_fit():
    state = golden_slt_weights()
    rows = list(range(12))
    for changed, arguments, message in (
        ({}, ([*rows, 12],), 'gloss_embedding.*12 rows.*--gloss-rows'),
        ({}, (rows, {0: 0}), 'shared.*120 rows.*--text-ids'),
        ({'lm_head.weight': torch.ones(120, 64)}, (rows,), 'lm_head.weight differs'),
    ):
        extra = {f'translation_network.model.{n}': v for n, v in changed.items()}
        with pytest.raises(CheckpointError, match=message):
            convert_translation(state | extra, *arguments)
    del state[TABLE]
    with pytest.raises(CheckpointError, match='gloss_embedding'):
        convert_translation(state, rows)


def test_numberings_are_read(tmp_path):
    pkl, txt = tmp_path / 'rows.pkl', tmp_path / 'rows.txt'
    pkl.write_bytes(pickle.dumps(ROWS))
    txt.write_text('\n'.join(ROWS) + '\n')
    assert read_gloss_rows(pkl) == read_gloss_rows(txt) == ROWS
    pkl.write_bytes(pickle.dumps({0: 0, 250004: 1}))
    assert read_numbering(pkl, int) == {0: 0, 250004: 1}
    with pytest.raises(DataError, match=r'rows\.pkl'):
        read_gloss_rows(pkl)
    pkl.write_bytes(pickle.dumps({0: 0, 4: 2}))
    with pytest.raises(DataError, match=r'rows\.pkl'):
        read_numbering(pkl, int)
    with pytest.raises(FileNotFoundError, match=r'gone\.pkl'):
        read_gloss_rows(tmp_path / 'gone.pkl')
