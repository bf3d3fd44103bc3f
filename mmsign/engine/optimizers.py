"""Adam by one call for all parameters."""

from collections.abc import Iterable

import torch
from torch import Tensor

from mmsign import compat
from mmsign.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class FusedAdam(torch.optim.Adam):
    """``torch.optim.Adam``, fused where torch can: one launch for all parameters.

    A state that was saved with parameters in another order of memory is rearranged
    when it is loaded, as the fused step demands.

    Args:
        params: Parameters or groups of them.
        **settings: Of ``torch.optim.Adam``.
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[dict], **settings) -> None:
        params = list(params)
        groups = [p['params'] if isinstance(p, dict) else [p] for p in params]
        fused = all(compat.can_fuse(p.device) for group in groups for p in group)
        super().__init__(params, **dict(fused=fused or None) | settings)

    def load_state_dict(self, state_dict: dict) -> None:
        """As PyTorch's; see above."""
        super().load_state_dict(state_dict)
        for parameter, state in self.state.items():
            for name, value in state.items():
                alike = torch.is_tensor(value) and value.shape == parameter.shape
                if alike and value.stride() != parameter.stride():
                    empty = torch.empty_like(parameter, dtype=value.dtype)
                    state[name] = empty.copy_(value)
