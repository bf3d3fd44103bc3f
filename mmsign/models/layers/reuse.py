"""Memory of large inputs, used again from batch to batch on a CPU.

Writing a batch of heatmaps into fresh memory costs several times the drawing:
the operating system hands out and clears every page anew. On a GPU the caching
allocator does this already.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Not public, but the only way to ask whether a storage is shared: a weak
# reference would let the memory go. Where it is missing nothing is reused.
_use_count = getattr(torch._C, '_storage_Use_Count', None)


def _count(tensor: Tensor) -> int:
    return _use_count(tensor.untyped_storage()._cdata)


# Of a tensor that nobody else holds: versions of torch count the handle made here
# or do not.
_ALONE = None if _use_count is None else _count(torch.empty(1))


def _held_elsewhere(tensor: Tensor) -> bool:
    return _count(tensor) > _ALONE


class ReusedMemory:
    """Hands out the same memory again once nobody holds the last tensor.

    A tensor that is still referenced — by a caller, a view, a numpy array or a
    recorded graph — is never overwritten: the next request then gets fresh
    memory.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def empty(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
    ) -> Tensor:
        """An uninitialised (B, C, T, H, W) tensor, the channels last in memory.

        Args:
            name: What it is for; one tensor is kept per name.
            shape, dtype, device: Of the result.
        """
        clips, channels, *places = shape
        wanted = dict(dtype=dtype, device=device)
        if _use_count is None or torch.device(device).type != 'cpu':
            memory = torch.empty((clips, *places, channels), **wanted)
            return memory.permute(0, 4, 1, 2, 3)
        numel = torch.Size(shape).numel()
        kept = self._kept.get(name)
        if (
            kept is None
            or kept.dtype != dtype
            or kept.numel() < numel
            or _held_elsewhere(kept)
        ):
            # Outside inference mode, so that training may use it afterwards.
            with torch.inference_mode(False):
                kept = torch.empty(numel, **wanted)
            self._kept[name] = kept
        memory = kept[:numel].view(clips, *places, channels)
        return memory.permute(0, 4, 1, 2, 3)

    def __deepcopy__(self, memo) -> ReusedMemory:
        return ReusedMemory()

    def __getstate__(self) -> dict:
        return dict(_kept={})
