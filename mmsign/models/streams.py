"""One stream of the network: a backbone, its head and its optional pyramid."""

from __future__ import annotations

import logging

import torch.nn as nn
from mmaction.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule

from mmsign import compat

from .stages import Stage, backbone_stages, describe_stages

# The network input each stream reads, and its pyramid's loss weight in the
# paper's training loss.
INPUT_KEYS = {'video': 'video', 'keypoint': 'heatmaps'}
PYRAMID_LOSS_WEIGHTS = {'video': 0.2, 'keypoint': 0.5}
# Parts that exist for training only: no checkpoint needs them at inference.
TRAINING_ONLY = ('pyramid', 'pyramid_head')


class Stream(BaseModule):
    """Backbone stages → pooled features → gloss logits.

    Args:
        name: ``video`` or ``keypoint``.
        num_classes: Gloss classes with the blank.
        input_shape: Channels and (height, width) of its input.
        backbone: Config of any backbone.
        head: Config of the gloss head.
        pyramid: Config of the pyramid, or None.
        pyramid_head: Config of the pyramid's heads.
        checkpoint: File of a recognizer trained on this stream alone (stage 1
            of the recipe); its weights are loaded before training.
    """

    def __init__(
        self,
        name: str,
        num_classes: int,
        input_shape: tuple[int, tuple[int, int]],
        backbone: dict,
        head: dict | None = None,
        pyramid: dict | None = None,
        pyramid_head: dict | None = None,
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.checkpoint = checkpoint
        self.backbone = MODELS.build(backbone)
        channels, size = input_shape
        expected = getattr(self.backbone, 'in_channels', channels)
        if isinstance(expected, int) and expected != channels:
            raise ValueError(
                f'the {name} stream has {channels} input channels, its backbone '
                f'{type(self.backbone).__name__} takes {expected}'
            )
        self.stage_info = describe_stages(self.backbone, channels, size)
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
            raise ValueError(
                f'the {name} stream has a pyramid_head but the model no pyramid'
            )

    def stages(self) -> list[Stage]:
        """The backbone's stages in order."""
        return backbone_stages(self.backbone)

    def init_weights(self) -> None:
        """Load the stage-1 ``checkpoint`` if one is named.

        Raises:
            ValueError: Naming the tensors, if the file does not hold this
                stream or holds it in other shapes (another vocabulary, say).
        """
        super().init_weights()
        if self.checkpoint is None:
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
            raise ValueError(
                f'{self.checkpoint} does not fit the {self.name} stream: '
                f'{len(missing)} tensors missing (first: {missing[:3]}), '
                f'{len(wrong)} of another shape '
                f'(first: {[(k, tuple(state[k].shape)) for k in wrong[:3]]}). '
                'It must be a checkpoint of a SingleStreamRecognizer with the '
                'same backbone and vocabulary'
            )
        self.load_state_dict({k: state[k] for k in own if k in state}, strict=False)

    def _warn_of_random_frozen_blocks(self) -> None:
        # Only S3D tells both; other backbones look after themselves.
        frozen = getattr(self.backbone, 'frozen_blocks', 0)
        if frozen and not (self.backbone.pretrained or self.backbone.init_cfg):
            print_log(
                f'the {self.name} stream freezes {frozen} block(s) of a backbone '
                'with random weights; name pretrained weights '
                f'(model.{self.name}.backbone.pretrained=…), a stage-1 checkpoint '
                f'(model.{self.name}.checkpoint=…), or set frozen_blocks=0',
                logger='current',
                level=logging.WARNING,
            )


def is_training_only(key: str) -> bool:
    """Whether a recognizer's state-dict key belongs to a training-only part."""
    parts = key.split('.')
    return len(parts) > 1 and parts[0] in INPUT_KEYS and parts[1] in TRAINING_ONLY


def stream_modules(model: nn.Module) -> dict[str, Stream]:
    """The streams of a recognizer by name, in the order video, keypoint."""
    found = {name: getattr(model, name, None) for name in INPUT_KEYS}
    return {name: stream for name, stream in found.items() if stream is not None}
