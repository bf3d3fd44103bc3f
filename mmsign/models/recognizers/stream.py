"""One stream of the network: a backbone, its head and its optional pyramid."""

import logging

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from mmsign.errors import ConfigError, explain
from mmsign.registry import MODELS
from mmsign.vocab import GlossVocabulary

from ..backbones.building import build_backbone
from ..layers.sequence import resample_time
from ..layers.volume import Conv3d, to_memory_format
from ..necks.pyramid import pool_space
from ..stages import Stage, backbone_stages, describe_stages
from ..weights import load_backbone, load_weights

STREAMS = ('video', 'keypoint')
# The pyramid's loss weight in the paper's training loss.
PYRAMID_LOSS_WEIGHTS = {'video': 0.2, 'keypoint': 0.5}
# Parts that exist for training only: no checkpoint needs them at inference.
AUXILIARY = ('pyramid', 'pyramid_head')


class Stream(BaseModule):
    """Backbone stages → pooled features → gloss logits.

    Args:
        name: ``video`` or ``keypoint``.
        vocab: The gloss vocabulary.
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
            MMAction2's published checkpoints; see ``load_backbone``. Not read
            where a ``checkpoint`` is named.
        memory_format: Of a backbone that is not mmsign's own; supplied by the
            recognizer.

    Raises:
        ValueError: At build time, if the backbone cannot take the input, or the
            parts do not fit.
    """

    def __init__(
        self,
        name: str,
        vocab: GlossVocabulary,
        input_shape: tuple[int, tuple[int, int]],
        backbone: dict,
        input_key: str | None = None,
        output_stride: int | None = None,
        head: dict | None = None,
        pyramid: dict | None = None,
        pyramid_head: dict | None = None,
        checkpoint: str | None = None,
        pretrained: str | None = None,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> None:
        super().__init__()
        self.name, self.vocab = name, vocab
        self.input_key = input_key or name
        self.checkpoint, self.pretrained = checkpoint, pretrained
        channels, size = input_shape
        self.backbone = build_backbone(backbone, channels)
        self.memory_format = None
        if not any(isinstance(part, Conv3d) for part in self.backbone.modules()):
            self.memory_format = memory_format
            to_memory_format(self.backbone, memory_format)
        with explain(ConfigError, f'the {name} stream', ConfigError):
            self.stage_info = describe_stages(self.backbone, channels, size)
        stride = self.stage_info[-1].time_stride
        self.output_stride = stride if output_stride is None else output_stride
        output_stride = self.output_stride
        if output_stride < 1 or (output_stride % stride and stride % output_stride):
            raise ConfigError(
                f'{name}.output_stride={output_stride} is neither a multiple nor a '
                f'divisor of {stride}, the frames per step that the backbone puts out'
            )
        self.out_channels = self.stage_info[-1].channels
        classes = dict(num_classes=len(vocab))
        sizes = classes | dict(in_channels=self.out_channels)
        self.head = MODELS.build(dict(type='GlossHead') | (head or {}) | sizes)
        self.pyramid = self.pyramid_head = None
        if pyramid is not None:
            self.pyramid = MODELS.build(pyramid | dict(stages=self.stage_info))
            weight = PYRAMID_LOSS_WEIGHTS[name]
            config = dict(type='PyramidHead', loss_weight=weight) | (pyramid_head or {})
            sizes = classes | dict(in_channels=self.pyramid.out_channels)
            self.pyramid_head = MODELS.build(config | sizes)
        elif pyramid_head is not None:
            raise ConfigError(f'{name}.pyramid_head is given, but the model no pyramid')

    def stages(self) -> list[Stage]:
        """The backbone's stages in order."""
        return backbone_stages(self.backbone)

    def laid_out(self, x: Tensor) -> Tensor:
        """The input (B, C, T, H, W) as the backbone wants it in memory."""
        if self.memory_format is None:
            return x
        return x.contiguous(memory_format=self.memory_format)

    def pool(self, x: Tensor) -> Tensor:
        """Last stage (B, C, T', H', W') → (B, T/output_stride, C)."""
        stride = self.stage_info[-1].time_stride
        return resample_time(pool_space(x), stride, self.output_stride)

    def init_weights(self) -> None:
        """Load the stage-1 ``checkpoint``, or ``pretrained``, if one is named.

        Raises:
            CheckpointError: If the file does not hold this stream, or is of another
                vocabulary.
        """
        super().init_weights()
        if self.checkpoint is not None:
            load_weights(
                self,
                self.checkpoint,
                f'the {self.name} stream: it must be a checkpoint of a recognizer with '
                'that stream, of the same backbone and vocabulary',
                prefix=f'{self.name}.',
                optional=lambda key: key.split('.')[0] in AUXILIARY,
                glosses=self.vocab,
            )
        elif self.pretrained is not None:
            load_backbone(self.backbone, self.pretrained)
        else:
            self._warn_of_random_frozen_blocks()

    def _warn_of_random_frozen_blocks(self) -> None:
        net = self.backbone
        # S3D counts blocks, MMAction2 stages from 0.
        frozen = getattr(net, 'frozen_blocks', getattr(net, 'frozen_stages', -1) + 1)
        named = getattr(net, 'pretrained', None)
        named = named or 'Pretrained' in str(getattr(net, 'init_cfg', ''))
        if frozen and not named:
            text = (
                f'the {self.name} stream freezes {frozen} block(s) of random weights: '
                f'name model.{self.name}.pretrained, model.{self.name}.checkpoint (of '
                'stage 1), or freeze none'
            )
            print_log(text, logger='current', level=logging.WARNING)


def is_auxiliary(key: str) -> bool:
    """Whether a key is of a part for training only.

    Args:
        key: Of the state dict of a recognizer, or of a translator with one.
    """
    parts = key.removeprefix('recognizer.').split('.')
    return len(parts) > 1 and parts[0] in STREAMS and parts[1] in AUXILIARY
