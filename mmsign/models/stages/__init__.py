"""The stage contract, and how MMAction2's backbones keep it."""

from . import convolutional, graphs, transformers
from .contract import (
    Stage,
    StageInfo,
    backbone_stages,
    describe_stages,
    input_tensors,
    own_names,
    stage_adapter,
)
from .convolutional import FramewiseBackbone
