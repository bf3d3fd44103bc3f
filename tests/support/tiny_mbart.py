"""Tiny mBARTs for the tests of translation."""

from __future__ import annotations

import functools
import json
import tempfile

import torch
from slrt_files import GOLDEN, drawn_tensor
from tiny_text import tiny_text_vocabulary

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
    """Their name → tensor of the golden translation path."""
    shapes = json.loads((GOLDEN / 'slt_parameter_shapes.json').read_text())
    return {name: drawn_tensor(name, shape, seed) for name, shape in shapes.items()}
