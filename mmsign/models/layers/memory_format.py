"""Memory formats of MMAction2's backbones; ``volume`` has that of mmsign's own."""

from __future__ import annotations

import torch
import torch.nn as nn

MEMORY_FORMATS = {
    'contiguous': torch.contiguous_format,
    'channels_last_3d': torch.channels_last_3d,
}


def to_memory_format(module: nn.Module, memory_format: torch.memory_format) -> None:
    """Keep weights in ``memory_format``, those of 2D convolutions in its like.

    Args:
        module: Changed in place.
        memory_format: One of ``MEMORY_FORMATS``.
    """
    formats = {4: memory_format, 5: memory_format}
    if memory_format == torch.channels_last_3d:
        formats[4] = torch.channels_last
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dim() in formats:
            tensor.data = tensor.data.to(memory_format=formats[tensor.dim()])
