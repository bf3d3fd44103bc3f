"""Tiny mBARTs for the tests of translation."""

from __future__ import annotations

import functools
import json
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
from tiny_text import tiny_text_vocabulary

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'
SIZES = dict(
    d_model=16,
    encoder_layers=1,
    decoder_layers=1,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    encoder_ffn_dim=24,
    decoder_ffn_dim=24,
    max_position_embeddings=64,
)


@functools.lru_cache(maxsize=1)
def vocabulary_folder() -> str:
    """A folder with the tiny text vocabulary; nobody may change it."""
    folder = tempfile.mkdtemp(prefix='mmsign-test-text-')
    tiny_text_vocabulary().save(folder)
    return folder


def mbart_config(**changes) -> dict:
    """Arguments of an ``MBart`` with random weights."""
    config = dict(language='de_DE', vocabulary=vocabulary_folder(), max_length=12)
    return config | SIZES | changes


def golden_slt_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """Their name → tensor of the golden translation path, as SPEC section 8 says."""
    shapes = json.loads((GOLDEN / 'slt_parameter_shapes.json').read_text())
    state = {}
    for name, shape in shapes.items():
        rng = np.random.default_rng(zlib.crc32(f'{seed}:{name}'.encode()))
        if name.endswith('bias'):
            value = 0.05 * rng.standard_normal(shape)
        elif len(shape) < 2:
            value = rng.uniform(0.8, 1.2, shape)
        else:
            value = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state
