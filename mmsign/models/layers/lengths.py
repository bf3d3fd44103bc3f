"""Valid lengths of the clips of a padded batch, at any number of steps.

Symbols: B clips, T frames of the padded batch, T' steps of an output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Boolean (B, size) mask, true where a step index is below its length."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


class ClipLengths:
    """How many frames of each clip are valid, and so how many steps of any output.

    Of T' steps that a network makes of T frames, ⌊n·T'/T⌋ belong to a clip of n.

    Args:
        valid: n of each clip, in frames.
        frames: T.

    Examples:
        >>> ClipLengths([16, 10], 16).steps(8)
        [8, 5]
    """

    def __init__(self, valid: Sequence[int], frames: int) -> None:
        self.valid = list(valid)
        self.frames = frames
        self._tensors: dict[tuple[int, torch.device], Tensor] = {}

    def __len__(self) -> int:
        return len(self.valid)

    def steps(self, count: int) -> list[int]:
        """Valid ones of ``count`` = T' steps, per clip."""
        return [valid * count // self.frames for valid in self.valid]

    def of(self, output: Tensor) -> Tensor:
        """(B,) valid steps of an output (B, T', …), on its device; copied once."""
        key = output.shape[1], output.device
        if key not in self._tensors:
            self._tensors[key] = torch.tensor(self.steps(key[0]), device=key[1])
        return self._tensors[key]
