"""The stage contract, and how MMAction2's backbones keep it."""

from . import convolutional, framewise, graphs, transformers, windowed
from .contract import (
    Stage,
    StageInfo,
    backbone_stages,
    describe_stages,
    input_tensors,
    stage_adapter,
)
from .framewise import FramewiseBackbone
