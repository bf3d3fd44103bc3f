"""Memory that is used again.

Symbols: B clips, C channels, T frames, H×W pixels.
"""

import math

import torch
from torch import Tensor


def padded(channels: int) -> int:
    """Of the memory of an input, for a GPU's 16-bit kernels: a multiple of 8."""
    return -(-channels // 8) * 8


# Not public, but the only way to ask whether a storage is shared: a weak
# reference would let the memory go. Where it is missing nothing is reused.
_use_count = getattr(torch._C, '_storage_Use_Count', None)


def _holders(tensor: Tensor) -> int:
    return _use_count(tensor.untyped_storage()._cdata)


# Of a tensor that nobody else holds: versions of torch count the handle made here
# or do not.
_ALONE = 0 if _use_count is None else _holders(torch.empty(1))


class ReusedMemory:
    """Memory of large tensors: handed out again once nobody holds the last tensor.

    Writing a batch of heatmaps into fresh memory costs several times the drawing: the
    operating system hands out and clears every page anew. So it does for casts of all
    weights. (On a GPU the caching
    allocator does this already.) A tensor that is still referenced — by a caller, a
    view, a numpy array or a recorded graph — is never overwritten: the next request
    then gets fresh memory.
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

        On a GPU it is the first channels of a memory of ``padded(C)``, zeros behind.

        Args:
            name: What it is for; one tensor is kept per name.
            shape, dtype, device: Of the result.
        """
        clips, channels, *places = shape
        width = channels if torch.device(device).type == 'cpu' else padded(channels)
        memory = self.flat(name, clips * math.prod(places) * width, dtype, device)
        memory = memory.view(clips, *places, width)
        if width > channels:
            memory[..., channels:].zero_()
        return memory[..., :channels].permute(0, 4, 1, 2, 3)

    def flat(
        self, name: str, size: int, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """An uninitialised (size,) tensor."""
        on_cpu = torch.device(device).type == 'cpu'
        reusing = _use_count is not None and on_cpu
        kept = self._kept.get(name) if reusing else None
        fits = kept is not None and kept.dtype == dtype and kept.numel() >= size
        if not fits or _holders(kept) > _ALONE:
            # Outside inference mode, so that training may use it afterwards.
            with torch.inference_mode(False):
                kept = torch.empty(size, dtype=dtype, device=device)
            if reusing:
                self._kept[name] = kept
        return kept[:size]

    def __reduce__(self) -> tuple:
        """Copies hold nothing."""
        return ReusedMemory, ()
