"""Checkpoints as the paper's authors publish them, with weights drawn by name."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

from mmsign.models.layers.sequence import sinusoid

GOLDEN = Path(__file__).parents[1] / 'data' / 'golden'


def drawn_tensor(name: str, shape: list[int], seed: int = 0) -> torch.Tensor:
    """The tensor that the golden files were made with: drawn from its name and seed."""
    if name.endswith('pe.pe'):
        return sinusoid(*shape[1:])[None]
    rng = np.random.default_rng(zlib.crc32(f'{seed}:{name}'.encode()))
    if name.endswith('num_batches_tracked'):
        return torch.zeros(shape, dtype=torch.int64)
    if name.endswith('running_var'):
        value = rng.uniform(0.5, 1.5, shape)
    elif name.endswith(('running_mean', 'bias')):
        value = 0.05 * rng.standard_normal(shape)
    elif len(shape) < 2:
        value = rng.uniform(0.8, 1.2, shape)
    else:
        value = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value.astype(np.float32)))


def slrt_state(kind: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """All tensors of a published network: ``two``, ``rgb`` or ``kp``."""
    shapes = json.loads((GOLDEN / f'slrt_state_shapes_{kind}.json').read_text())
    return {name: drawn_tensor(name, shape, seed) for name, shape in shapes.items()}


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
