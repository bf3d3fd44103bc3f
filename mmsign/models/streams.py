"""One stream of the network: a backbone, its head and its optional pyramid."""

from __future__ import annotations

import logging

import torch.nn as nn
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from mmsign import compat
from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from .backbones.building import build_backbone
from .layers.resample import TimeResample
from .necks.pyramid import pool_space
from .pretrained import load_pretrained
from .stages import Stage, backbone_stages, describe_stages

STREAMS = ('video', 'keypoint')
# The pyramid's loss weight in the paper's training loss.
PYRAMID_LOSS_WEIGHTS = {'video': 0.2, 'keypoint': 0.5}
# Parts that exist for training only: no checkpoint needs them at inference.
TRAINING_ONLY = ('pyramid', 'pyramid_head')


class Stream(BaseModule):
    """Backbone stages → pooled features → gloss logits.

    Args:
        name: ``video`` or ``keypoint``.
        num_classes: Gloss classes with the blank.
        input_shape: Channels and (height, width) of its input.
        backbone: Config of any backbone; the input's channels need not be named.
        input_key: Name of its input among the network's inputs; the stream's own
            unless given.
        output_stride: Input frames per output step. Pooled features are averaged
            or interpolated in time to it; None takes the backbone's.
        head: Config of the gloss head.
        pyramid: Config of the pyramid, or None; the recognizer's unless given.
        pyramid_head: Config of the pyramid's heads.
        checkpoint: File of a recognizer trained on this stream alone (stage 1
            of the recipe); its weights are loaded before training.
        pretrained: File or URL of weights for the backbone alone, such as one of
            MMAction2's published checkpoints; see ``load_pretrained``. Not read
            where a ``checkpoint`` is named.

    Raises:
        ValueError: At build time, if the backbone cannot take the input, or the
            parts do not fit.
    """

    def __init__(
        self,
        name: str,
        num_classes: int,
        input_shape: tuple[int, tuple[int, int]],
        backbone: dict,
        input_key: str | None = None,
        output_stride: int | None = None,
        head: dict | None = None,
        pyramid: dict | None = None,
        pyramid_head: dict | None = None,
        checkpoint: str | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.input_key = input_key or name
        self.checkpoint = checkpoint
        self.pretrained = pretrained
        channels, size = input_shape
        self.backbone = build_backbone(backbone, channels)
        try:
            self.stage_info = describe_stages(self.backbone, channels, size)
        except ValueError as error:
            raise ConfigError(
                f'the {name} stream has {channels} input channels at {size[0]}×'
                f'{size[1]} pixels; {error}'
            ) from error
        stride = self.stage_info[-1].time_stride
        self.output_stride = output_stride or stride
        self.resample = TimeResample(stride, self.output_stride)
        self.out_channels = self.stage_info[-1].channels
        self.head = MODELS.build(
            dict(type='GlossHead')
            | (head or {})
            | dict(in_channels=self.out_channels, num_classes=num_classes)
        )
        self.pyramid = self.pyramid_head = None
        if pyramid is not None:
            self.pyramid = MODELS.build(pyramid | dict(stages=self.stage_info))
            self.pyramid_head = MODELS.build(
                dict(type='PyramidHead', loss_weight=PYRAMID_LOSS_WEIGHTS[name])
                | (pyramid_head or {})
                | dict(in_channels=self.pyramid.out_channels, num_classes=num_classes)
            )
        elif pyramid_head is not None:
            raise ConfigError(
                f'the {name} stream has a pyramid_head but the model no pyramid'
            )

    def stages(self) -> list[Stage]:
        """The backbone's stages in order."""
        return backbone_stages(self.backbone)

    def pool(self, x: Tensor) -> Tensor:
        """Last stage (B, C, T', H', W') → (B, T/output_stride, C)."""
        return self.resample(pool_space(x))

    def init_weights(self) -> None:
        """Load the stage-1 ``checkpoint``, or ``pretrained``, if one is named.

        Raises:
            ValueError: Naming the tensors, if the file does not hold this
                stream or holds it in other shapes (another vocabulary, say).
        """
        super().init_weights()
        if self.checkpoint is None:
            if self.pretrained is not None:
                load_pretrained(self.backbone, self.pretrained)
            self._warn_of_random_frozen_blocks()
            return
        loaded = compat.load_checkpoint(self.checkpoint)
        prefix = f'{self.name}.'
        state = {
            key[len(prefix) :]: value
            for key, value in loaded.get('state_dict', loaded).items()
            if key.startswith(prefix)
        }
        own = self.state_dict()
        needed = [k for k in own if k.split('.')[0] not in TRAINING_ONLY]
        missing = [key for key in needed if key not in state]
        wrong = [k for k in own if k in state and state[k].shape != own[k].shape]
        if missing or wrong:
            raise ConfigError(
                f'{self.checkpoint} does not fit the {self.name} stream: '
                f'{len(missing)} tensors missing (first: {missing[:3]}), '
                f'{len(wrong)} of another shape '
                f'(first: {[(k, tuple(state[k].shape)) for k in wrong[:3]]}). '
                'It must be a checkpoint of a SingleStreamRecognizer with the '
                'same backbone and vocabulary'
            )
        self.load_state_dict({k: state[k] for k in own if k in state}, strict=False)

    def _warn_of_random_frozen_blocks(self) -> None:
        # S3D counts blocks, MMAction2 stages from 0.
        blocks = getattr(self.backbone, 'frozen_blocks', 0)
        frozen = blocks or getattr(self.backbone, 'frozen_stages', -1) + 1
        named = self.pretrained or getattr(self.backbone, 'pretrained', None)
        named = named or 'Pretrained' in str(getattr(self.backbone, 'init_cfg', None))
        if frozen and not named:
            print_log(
                f'the {self.name} stream freezes {frozen} block(s) of a backbone '
                'with random weights; name pretrained weights '
                f'(model.{self.name}.pretrained=…), a stage-1 checkpoint '
                f'(model.{self.name}.checkpoint=…), or freeze none',
                logger='current',
                level=logging.WARNING,
            )


def is_training_only(key: str) -> bool:
    """Whether a recognizer's state-dict key belongs to a training-only part."""
    parts = key.split('.')
    return len(parts) > 1 and parts[0] in STREAMS and parts[1] in TRAINING_ONLY


def stream_modules(model: nn.Module) -> dict[str, Stream]:
    """The streams of a recognizer by name, in the order video, keypoint."""
    found = {name: getattr(model, name, None) for name in STREAMS}
    return {name: stream for name, stream in found.items() if stream is not None}
