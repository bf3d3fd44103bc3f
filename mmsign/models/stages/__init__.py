"""The stage contract, and how MMAction2's backbones keep it."""

from . import convolutional, frames, graphs, transformers, windows
from .contract import (
    Stage,
    StageInfo,
    backbone_stages,
    describe_stages,
    input_tensors,
    stage_adapter,
)
from .frames import FramewiseBackbone

__all__ = [
    'FramewiseBackbone',
    'Stage',
    'StageInfo',
    'backbone_stages',
    'convolutional',
    'describe_stages',
    'frames',
    'graphs',
    'input_tensors',
    'stage_adapter',
    'transformers',
    'windows',
]
