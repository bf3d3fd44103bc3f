"""Weights of MMAction2's published checkpoints for a stream's backbone."""

from __future__ import annotations

import torch.nn as nn
from mmengine.logging import print_log
from torch import Tensor

from mmsign import compat
from mmsign.download import local_copy
from mmsign.errors import ConfigError
from mmsign.interop.s3d_weights import convert_s3d_state

from .backbones.s3d import S3D
from .stages import input_tensors

# A recognizer's checkpoint holds its backbone under this prefix.
PREFIX = 'backbone.'


def load_pretrained(backbone: nn.Module, source: str) -> None:
    """Load the weights of a network of the same kind, trained on any input.

    Tensors whose shape follows from the input (the first convolution; what has
    one entry per keypoint in a graph network) are left as they are where the
    shapes differ, and this is logged.

    Args:
        backbone: To be filled.
        source: A file or the URL of one: a recognizer of MMAction2, a backbone's
            weights, or S3D's Kinetics-400 weights.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If a URL cannot be read.
        ConfigError: Naming tensors, if the weights are not this network's.
    """
    path = local_copy(
        source,
        'name the file in pretrained=, or set pretrained=None to start from random '
        'weights',
    )
    state = _backbone_state(backbone, compat.load_checkpoint(path))
    own = backbone.state_dict()
    free = input_tensors(backbone)
    wrong = [k for k in own if k in state and state[k].shape != own[k].shape]
    kept = [key for key in wrong if key in free]
    wrong = [key for key in wrong if key not in free]
    missing = [
        key for key in own if key not in state and 'num_batches_tracked' not in key
    ]
    if missing or wrong:
        shapes = [(k, tuple(state[k].shape), tuple(own[k].shape)) for k in wrong[:3]]
        raise ConfigError(
            f'{source} does not hold the weights of this {type(backbone).__name__}: '
            f'{len(missing)} tensors missing (first: {missing[:3]}), {len(wrong)} of '
            f'another shape (first: {shapes})'
        )
    if kept:
        print_log(
            f'{source}: left at their initialisation, since they follow from the '
            f'input: {", ".join(kept)}',
            logger='current',
        )
    backbone.load_state_dict(
        {k: v for k, v in state.items() if k in own and k not in kept}, strict=False
    )


def _backbone_state(backbone: nn.Module, loaded: dict) -> dict[str, Tensor]:
    if isinstance(backbone, S3D):
        return convert_s3d_state(loaded)
    state = loaded.get('state_dict', loaded)
    inside = {k[len(PREFIX) :]: v for k, v in state.items() if k.startswith(PREFIX)}
    return inside or state
