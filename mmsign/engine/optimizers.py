"""Adam by one call for all parameters."""

from collections.abc import Iterable
from itertools import groupby

import torch
from torch import Tensor

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class FusedAdam(torch.optim.Adam):
    """``torch.optim.Adam``, fused where torch can: one launch for all parameters.

    Groups of the same settings that follow one another become one: MMEngine's
    ``paramwise_cfg`` makes one of each parameter, which would be a launch each. A
    state that was saved with parameters in another order of memory is rearranged
    when it is loaded, as the fused step demands.

    Args:
        params: Parameters or groups of them.
        **settings: Of ``torch.optim.Adam``.
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[dict], **settings) -> None:
        params = list(params)
        if params and isinstance(params[0], dict):
            params = _merged(params)
        groups = [p['params'] if isinstance(p, dict) else [p] for p in params]
        fused = all(compat.can_fuse(p.device) for group in groups for p in group)
        super().__init__(params, **dict(fused=fused or None) | settings)

    def load_state_dict(self, state_dict: dict) -> None:
        """As PyTorch's; see above.

        Raises:
            ConfigError: If it has other groups of parameters.
        """
        found, needed = len(state_dict['param_groups']), len(self.param_groups)
        if found != needed:
            raise ConfigError(
                f'the checkpoint has {found} groups of parameters in its optimizer, '
                f'this training {needed}: it was begun with other learning rates '
                '(paramwise_cfg) or another version of mmsign and cannot be resumed; '
                'begin another from its weights with load_from'
            )
        super().load_state_dict(state_dict)
        for parameter, state in self.state.items():
            for name, value in state.items():
                alike = torch.is_tensor(value) and value.shape == parameter.shape
                if alike and value.stride() != parameter.stride():
                    empty = torch.empty_like(parameter, dtype=value.dtype)
                    state[name] = empty.copy_(value)


def _merged(groups: Iterable[dict]) -> list[dict]:
    """Groups without neighbours of the same settings; the order stays."""

    def settings(group: dict) -> dict:
        return {key: value for key, value in group.items() if key != 'params'}

    return [
        dict(found, params=[p for group in alike for p in _parameters(group)])
        for found, alike in groupby(groups, settings)
    ]


def _parameters(group: dict) -> list[Tensor]:
    found = group['params']
    return [found] if torch.is_tensor(found) else list(found)
