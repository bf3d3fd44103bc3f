"""A part of a network from the checkpoint of another one."""

from __future__ import annotations

import torch.nn as nn

from mmsign import compat


def load_part(module: nn.Module, path: str, prefix: str, what: str) -> None:
    """Load the tensors of ``module`` from those under ``prefix`` in a checkpoint.

    Args:
        module: Is changed in place.
        path: Of the checkpoint.
        prefix: ``mbart.``, say; empty takes the names as they are.
        what: Names the module in the error.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: Naming the tensors, if the file does not hold all of them in
            these shapes.
    """
    loaded = compat.load_checkpoint(path)
    state = loaded.get('state_dict', loaded)
    own = module.state_dict()
    missing = [key for key in own if prefix + key not in state]
    wrong = [
        f'{key} {tuple(state[prefix + key].shape)} instead of {tuple(value.shape)}'
        for key, value in own.items()
        if prefix + key in state and state[prefix + key].shape != value.shape
    ]
    if missing or wrong:
        raise ValueError(
            f'{path} does not fit {what}: {len(missing)} tensors missing (first: '
            f'{missing[:3]}), {len(wrong)} of another shape (first: {wrong[:3]})'
        )
    module.load_state_dict({key: state[prefix + key] for key in own})
