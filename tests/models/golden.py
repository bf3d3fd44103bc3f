"""Weights and inputs of the golden files, drawn as SPEC section 8 says."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

from mmsign.interop.slrt_names import slrt_to_ours

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'


def golden_weights(kind: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Our name → tensor for every tensor of the published network ``kind``."""
    shapes = json.loads((GOLDEN / f'slrt_state_shapes_{kind}.json').read_text())
    state = {}
    for name, shape in shapes.items():
        if name.endswith('pe.pe'):
            continue
        rng = np.random.default_rng(zlib.crc32(f'{seed}:{name}'.encode()))
        if name.endswith('num_batches_tracked'):
            value = np.zeros(shape, dtype=np.int64)
        elif name.endswith('running_var'):
            value = rng.uniform(0.5, 1.5, shape)
        elif name.endswith(('running_mean', 'bias')):
            value = 0.05 * rng.standard_normal(shape)
        elif len(shape) < 2:
            value = rng.uniform(0.8, 1.2, shape)
        else:
            value = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
        ours = slrt_to_ours(name)
        assert ours is not None, name
        if not name.endswith('num_batches_tracked'):
            value = value.astype(np.float32)
        state[ours] = torch.from_numpy(np.asarray(value))
    return state


def golden_inputs(kind: str, seed: int = 0) -> tuple[dict, dict]:
    """Network inputs and the expected outputs of ``golden_{kind}_seed0``."""
    expected = dict(np.load(GOLDEN / f'golden_{kind}_seed{seed}.npz'))
    clips, frames = len(expected['lens']), int(expected['T'])
    rng = np.random.default_rng(seed)
    shapes = dict(
        video=(clips, 3, frames, 224, 224), heatmaps=(clips, 79, frames, 112, 112)
    )
    inputs = {
        key: torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))
        for key, shape in shapes.items()
    }
    return inputs, expected
