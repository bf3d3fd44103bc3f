"""Weights and inputs of the golden files, as the authors' code got them."""

from __future__ import annotations

import torch
from slrt_files import golden_inputs, slrt_state

from mmsign.interop.slrt_names import slrt_to_ours

__all__ = ['golden_inputs', 'golden_weights']


def golden_weights(kind: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Our name → tensor for every tensor of the published network ``kind``."""
    state = {}
    for name, tensor in slrt_state(kind, seed).items():
        if not name.endswith('pe.pe'):
            ours = slrt_to_ours(name)
            assert ours is not None, name
            state[ours] = tensor
    return state
