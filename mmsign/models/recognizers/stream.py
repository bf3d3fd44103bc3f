"""One stream of the network: a backbone, its head and its optional pyramid."""

import logging
from collections.abc import Sequence

from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmsign.errors import ConfigError, explain
from mmsign.keypoints import GRAPH_LAYOUTS, channels_of, graph_layout
from mmsign.registry import MODELS, arguments_of
from mmsign.vocab import GlossVocabulary

from ..data_preprocessor import SignDataPreprocessor
from ..heads.gloss_head import output_steps
from ..heads.group_head import GroupHead
from ..layers.sequence import hold_edges, resample_time, without_ends
from ..layers.volume import Conv3d, to_memory_format
from ..necks.pyramid import pool_space
from ..stages import Stage, backbone_stages, describe_stages
from ..weights import load_backbone, load_weights

STREAMS = ('video', 'keypoint')
# The pyramid's loss weight in the paper's training loss.
PYRAMID_LOSS_WEIGHTS = {'video': 0.2, 'keypoint': 0.5}
# Parts that exist for training only, of a stream and of a head: no checkpoint needs
# them at inference.
AUXILIARY = ('pyramid', 'pyramid_head')
HEAD_AUXILIARY = ('convolution_classifier', 'pathways')
# What a head is told of its backbone: its argument, and the backbone's attribute.
OF_BACKBONE = dict(pathways='pathway_channels', groups='group_names')
# What MMAction2's backbones call the channels of their input.
CHANNEL_ARGUMENTS = ('in_channels', 'in_chans')
# Whether `pretrained` names weights of an image network. MMAction2's defaults ask
# for them even where `pretrained` is not given, and then fail.
IMAGE_WEIGHT_ARGUMENTS = ('pretrained2d', 'clip_pretrained')
DEFAULT_GRAPH = dict(layout='mmsign_79', mode='spatial')


class Stream(BaseModule):
    """Backbone stages → pooled features → gloss logits.

    Args:
        name: ``video`` or ``keypoint``.
        vocab: The gloss vocabulary.
        preprocessor: Of the recognizer; says what the stream's input is called, its
            channels and size, and the memory format of a backbone that is not
            mmsign's own.
        backbone: Config of any backbone; the input's channels need not be named.
        output_stride: Input frames per step of the pooled features, which are
            averaged or interpolated in time to it; None takes the backbone's. It is
            that of the output too, unless the head strides itself.
        head: Config of the gloss head.
        pyramid: Config of the pyramid, or None; the recognizer's unless given.
        pyramid_head: Config of the pyramid's heads.
        checkpoint: File of a recognizer trained on this stream alone (stage 1
            of the recipe); its weights are loaded before training.
        pretrained: File or URL of weights for the backbone alone, such as one of
            MMAction2's published checkpoints; see ``load_backbone``. Not read
            where a ``checkpoint`` is named.

    Attributes:
        feature_stride: Input frames per row of pooled features.
        output_stride: Input frames per output step.
        edge: For how many frames more the clip's first and last are seen, before and
            behind it; the recognizer's, the same in both streams.

    Raises:
        ValueError: At build time, if the backbone cannot take the input, or the
            parts do not fit.
    """

    def __init__(
        self,
        name: str,
        vocab: GlossVocabulary,
        preprocessor: SignDataPreprocessor,
        backbone: dict,
        output_stride: int | None = None,
        head: dict | None = None,
        pyramid: dict | None = None,
        pyramid_head: dict | None = None,
        checkpoint: str | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        self.name, self.vocab = name, vocab
        self.checkpoint, self.pretrained = checkpoint, pretrained
        self.input_key = preprocessor.input_key(name)
        channels, size = preprocessor.input_shape(self.input_key)
        self.backbone = build_backbone(backbone, channels, preprocessor.channels)
        self.memory_format = None
        own = any(isinstance(part, Conv3d) for part in self.backbone.modules())
        # Points have no pixels to put behind the channels: of a single clip laid out
        # so, PyTorch's convolutions on a CPU read beyond its end in backward.
        if not own and 'points' not in self.input_key:
            self.memory_format = preprocessor.memory_format
            to_memory_format(self.backbone, self.memory_format)
        with explain(ConfigError, f'the {name} stream', ConfigError):
            self.stage_info = describe_stages(self.backbone, channels, size)
        stride = self.stage_info[-1].time_stride
        output_stride = stride if output_stride is None else output_stride
        if output_stride < 1 or (output_stride % stride and stride % output_stride):
            raise ConfigError(
                f'{name}.output_stride={output_stride} is neither a multiple nor a '
                f'divisor of {stride}, the frames per step that the backbone puts out'
            )
        self.feature_stride, self.edge = output_stride, 0
        self.out_channels = self.stage_info[-1].channels
        classes = dict(num_classes=len(vocab))
        sizes = classes | dict(in_channels=self.out_channels)
        config = dict(type='GlossHead') | (head or {}) | sizes
        taken, _ = arguments_of(MODELS.get(config['type']))
        for argument, name_there in OF_BACKBONE.items():
            if argument in taken:
                config[argument] = getattr(self.backbone, name_there, {})
        self.head = MODELS.build(config)
        self.output_stride = self.feature_stride * self.head.time_stride
        if self.head.edge and output_stride != 1:
            raise ConfigError(
                f'{type(self.head).__name__} strides itself and takes the features of '
                f'every frame, the {name} stream has one per {output_stride}: name '
                f'{name}.output_stride=1'
            )
        self.pyramid = self.pyramid_head = None
        if pyramid is not None:
            self.pyramid = MODELS.build(pyramid | dict(stages=self.stage_info))
            weight = PYRAMID_LOSS_WEIGHTS[name]
            config = dict(type='PyramidHead', loss_weight=weight) | (pyramid_head or {})
            sizes = classes | dict(in_channels=self.pyramid.out_channels)
            self.pyramid_head = MODELS.build(config | sizes)
        elif pyramid_head is not None:
            raise ConfigError(f'{name}.pyramid_head is given, but the model no pyramid')

    @property
    def heads(self) -> dict[str, nn.Module]:
        """The gloss heads by the name of their output."""
        if not isinstance(self.head, GroupHead):
            return {self.name: self.head}
        return {f'{self.name}_{name}': h for name, h in self.head.heads.items()}

    def head_inputs(self, pooled: Tensor) -> dict[str, Tensor]:
        """By output, what its head sees of the pooled features (B, T', C)."""
        if not isinstance(self.head, GroupHead):
            return {self.name: pooled}
        inputs = self.head.inputs(pooled)
        return {f'{self.name}_{name}': x for name, x in inputs.items()}

    def stages(self) -> list[Stage]:
        """The backbone's stages in order."""
        return backbone_stages(self.backbone)

    def laid_out(self, x: Tensor) -> Tensor:
        """The input (B, C, T, H, W) as the backbone wants it in memory, its first and
        last frame held for ``edge`` frames; masked points are masked there."""
        x = hold_edges(x, self.edge)
        if self.edge and self.input_key == 'masked_points':
            x[:, 3, : self.edge] = x[:, 3, -self.edge :] = 0
        if self.memory_format is None:
            return x
        return x.contiguous(memory_format=self.memory_format)

    def pool(self, x: Tensor) -> Tensor:
        """Last stage (B, C, T', H', W') → (B, R, C), R = T/feature_stride and what the
        head needs beyond the ends."""
        stride = self.stage_info[-1].time_stride
        x = resample_time(pool_space(x), stride, self.feature_stride)
        needless = self.edge // self.feature_stride - self.head.edge
        return without_ends(x, needless)

    def frames(self, pooled: Tensor) -> int:
        """T of pooled features (B, R, C)."""
        return output_steps(self.head, pooled.shape[1]) * self.output_stride

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
                optional=lambda key: is_auxiliary(f'{self.name}.{key}'),
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


def build_backbone(
    config: dict, in_channels: int, keypoints: Sequence[int] = channels_of(None)
) -> nn.Module:
    """Build a backbone of any registry scope.

    Left out in the config, these are filled in where the class takes them: the
    input's channels; the keypoints, or their graph; ``pretrained`` None where the
    class insists on it; and that nothing is to be inflated from image weights that are
    not named.

    Args:
        config: Of the backbone.
        in_channels: Channels of its input.
        keypoints: Which of the 79 a network of points sees.

    Raises:
        KeyError: If the type is not registered.
    """
    taken, _ = arguments_of(MODELS.get(config['type']))
    defaults = dict(pretrained=None, num_person=1, graph_cfg=DEFAULT_GRAPH)
    defaults['keypoints'] = tuple(keypoints)
    if not any(name in config for name in CHANNEL_ARGUMENTS):
        defaults |= dict.fromkeys(CHANNEL_ARGUMENTS, in_channels)
    if 'pretrained' in taken and config.get('pretrained') is None:
        defaults |= dict.fromkeys(IMAGE_WEIGHT_ARGUMENTS, False)
    config = {k: v for k, v in defaults.items() if k in taken} | dict(config)
    layout = config.get('graph_cfg', {}).get('layout')
    if isinstance(layout, str) and layout in GRAPH_LAYOUTS:
        layout = graph_layout(keypoints)
        config['graph_cfg'] = dict(config['graph_cfg'], layout=layout)
    return MODELS.build(config)


def edge_of(streams: Sequence[Stream]) -> int:
    """For how many frames the ends of clips are held: as the head that needs most, and
    such that what others do not need are whole rows of their features."""
    needs = [(s.head.edge * s.feature_stride, s.feature_stride) for s in streams]
    edge = max(own for own, _ in needs)
    while any((edge - own) % stride for own, stride in needs):
        edge += 1
    return edge


def is_auxiliary(key: str) -> bool:
    """Whether a key is of a part for training only.

    Args:
        key: Of the state dict of a recognizer, or of a translator with one.
    """
    owner, *inside = key.removeprefix('recognizer.').split('.')
    own = AUXILIARY if owner in STREAMS else ()
    if owner == 'joint_head':
        own = HEAD_AUXILIARY
    elif own and inside[:1] == ['head']:
        own, inside = HEAD_AUXILIARY, inside[1:]
    return bool(inside) and inside[0] in own
