"""From the shapes of a converted checkpoint to the network that they are of."""

from collections.abc import Mapping

from torch import Tensor

from mmsign.errors import CheckpointError
from mmsign.models.heads.group_head import READS

# Channels of the stem of an S3D of width 1.
_STEM_CHANNELS = 64
# The streams' input channels do not tell them apart; their names do.
STREAMS = ('video', 'keypoint')


def s3d_config(tensors: Mapping[str, Tensor], prefix: str = '') -> dict:
    """Config of the ``S3D`` whose tensors are named ``{prefix}blocks.…``."""
    stem = _shape(tensors, f'{prefix}blocks.0.0.conv_s.weight')
    blocks = _indices(tensors, f'{prefix}blocks.')
    config = dict(type='S3D', in_channels=stem[1], num_blocks=len(blocks))
    if stem[0] != _STEM_CHANNELS:
        config['width'] = stem[0] / _STEM_CHANNELS
    return config


def backbone_config(tensors: Mapping[str, Tensor], prefix: str = '') -> dict:
    """Config of the ``S3D`` or ``MSKA`` whose tensors have the prefix.

    Of an MSKA it is the published one; another does not fit it.
    """
    if any(name.startswith(f'{prefix}groups.') for name in tensors):
        return dict(type='MSKA')
    return s3d_config(tensors, prefix)


def recognizer_config(tensors: Mapping[str, Tensor]) -> dict:
    """Config of the recognizer, without ``vocab``, that the tensors are of.

    Args:
        tensors: Under our names, as ``convert_recognizer`` returns them.

    Raises:
        CheckpointError: Naming the tensor, if one is missing from which a
            size is read.
    """
    names = [s for s in STREAMS if any(n.startswith(f'{s}.') for n in tensors)]
    if not names:
        raise CheckpointError('the file has no tensor of a video or keypoint stream')
    kind = 'TwoStream' if len(names) == 2 else 'SingleStream'
    model: dict = dict(type=f'{kind}Recognizer')
    for name in names:
        backbone = backbone_config(tensors, f'{name}.backbone.')
        if backbone['type'] == 'MSKA':
            head = _group_head_config(tensors, f'{name}.head.heads.')
            model['data_preprocessor'] = dict(keypoint_input='masked_points')
        else:
            head = _head_config(tensors, f'{name}.head.')
        model[name] = dict(backbone=backbone, head=head)
        if levels := _indices(tensors, f'{name}.pyramid.upsample.'):
            model['pyramid'] = dict(type='SignPyramid', levels=len(levels) + 1)
            first = f'{name}.pyramid_head.heads.0.'
            model[name]['pyramid_head'] = _head_config(tensors, first)
    if stages := _indices(tensors, 'bilateral.to_video.'):
        model['bilateral'] = dict(type='BilateralNeck', stages=tuple(stages))
    if any(n.startswith('joint_head.') for n in tensors):
        model['joint'] = dict(type='JointHead', **_head_config(tensors, 'joint_head.'))
    return model


def class_counts(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Name of each classifier's weight → its classes, the blank included."""
    return {n: len(v) for n, v in tensors.items() if n.endswith('classifier.weight')}


def _head_config(tensors: Mapping[str, Tensor], prefix: str) -> dict:
    inner, hidden, kernel = _shape(tensors, prefix + 'feedforward.conv1.weight')
    return dict(hidden_channels=hidden, feedforward_channels=inner, kernel_size=kernel)


def _group_head_config(tensors: Mapping[str, Tensor], prefix: str) -> dict:
    config = dict(type='GroupHead', **_head_config(tensors, f'{prefix}fuse.'))
    widths = [_shape(tensors, f'{prefix}{n}.fc.weight')[1] for n in ('fuse', 'body')]
    if widths[0] == 3 * widths[1]:
        # As the published settings for Phoenix-2014 have it.
        config['reads'] = READS | dict(fuse=('left', 'face', 'right'))
    return config


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...]:
    if name not in tensors:
        raise CheckpointError(f'no tensor becomes {name}: the network is not whole')
    return tuple(tensors[name].shape)


def _indices(tensors: Mapping[str, Tensor], prefix: str) -> list[int]:
    """The numbers that follow ``prefix`` in names, sorted."""
    rests = [n[len(prefix) :] for n in tensors if n.startswith(prefix)]
    return sorted({int(rest.split('.')[0]) for rest in rests})
