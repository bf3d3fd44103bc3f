"""Names of the published S3D weights (flat ``base.N`` list) in our blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

# First layer of each block in the flat list of the published weights.
_BLOCK_STARTS = (0, 1, 4, 7, 13)
_FLAT = re.compile(r'(?:module\.)?base\.(\d+)\.(.+)')
_BLOCK = re.compile(r'blocks\.(\d+)\.(\d+)\.(.+)')


def flat_to_block(name: str) -> str | None:
    """``base.5.branch0…`` → ``blocks.2.1.branch0…``; None for other names."""
    match = _FLAT.fullmatch(name)
    if match is None:
        return None
    layer = int(match[1])
    block = max(b for b, start in enumerate(_BLOCK_STARTS) if start <= layer)
    return f'blocks.{block}.{layer - _BLOCK_STARTS[block]}.{match[2]}'


def block_to_flat(name: str) -> str | None:
    """``blocks.2.1.branch0…`` → ``base.5.branch0…``; None for other names."""
    match = _BLOCK.fullmatch(name)
    if match is None or int(match[1]) >= len(_BLOCK_STARTS):
        return None
    return f'base.{_BLOCK_STARTS[int(match[1])] + int(match[2])}.{match[3]}'


def convert_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names for the tensors of an S3D, ours or the published ones.

    The classifier of the published weights is left out.
    """
    converted = {flat_to_block(name): tensor for name, tensor in state.items()}
    converted.pop(None, None)
    return converted or dict(state)
