"""Names of the paper authors' published recognition checkpoints, and ours.

Their state dict has the prefix ``recognition_network.``; two-stream networks
keep both streams under ``visual_backbone_twostream``, single streams under
``visual_backbone`` (video) or ``visual_backbone_keypoint``. Heads hold a table of
sinusoidal positions, ``pe.pe``, which we compute instead of storing.
"""

from __future__ import annotations

import re

from mmsign.models.backbones.s3d_names import block_to_flat, flat_to_block

PREFIX = 'recognition_network.'
POSITION_TABLE = 'pe.pe'

# Module prefixes, theirs → ours.
_TWO_STREAM_BACKBONES = {
    'visual_backbone_twostream.rgb_stream': 'video',
    'visual_backbone_twostream.pose_stream': 'keypoint',
}
_SINGLE_BACKBONES = {
    'visual_backbone': 'video',
    'visual_backbone_keypoint': 'keypoint',
}
_BACKBONES = _TWO_STREAM_BACKBONES | _SINGLE_BACKBONES
_HEADS = {
    'visual_head': 'video.head',
    'visual_head_keypoint': 'keypoint.head',
    'visual_head_fuse': 'joint_head',
}
_PYRAMID_HEADS = {
    'visual_head_remain': 'video.pyramid_head.heads',
    'visual_head_keypoint_remain': 'keypoint.pyramid_head.heads',
}
# Their lateral modules are named after the stream that they feed.
_LATERALS = {
    'visual_backbone_twostream.rgb_stream_lateral': 'bilateral.to_video',
    'visual_backbone_twostream.pose_stream_lateral': 'bilateral.to_keypoint',
}
_HEAD_LAYERS = {
    'fc1': 'fc',
    'bn1.norm': 'norm',
    'feedforward.layer_norm': 'feedforward.norm',
    'feedforward.pwff_layer.0': 'feedforward.conv1',
    'feedforward.pwff_layer.3': 'feedforward.conv2',
    'layer_norm': 'norm_out',
    'gloss_output_layer': 'classifier',
}
_UPSAMPLE_LAYERS = {
    'conv_trans_s': 'conv_s',
    'conv_trans_t': 'conv_t',
    'bn_s': 'bn_s',
    'bn_t': 'bn_t',
}


def _head_layer(rest: str) -> str | None:
    layer, _, leaf = rest.rpartition('.')
    return f'{_HEAD_LAYERS[layer]}.{leaf}' if layer in _HEAD_LAYERS else None


def _backbone_layer(rest: str) -> str | None:
    # Two-stream networks nest the S3D once more, as ``backbone.base.N``.
    block = flat_to_block(rest.removeprefix('backbone.'))
    if block is not None:
        return f'backbone.{block}'
    match = re.fullmatch(r'pyramid\.upsample_layers\.(\d+)\.(\w+)\.(\w+)', rest)
    if match and match[2] in _UPSAMPLE_LAYERS:
        return f'pyramid.upsample.{match[1]}.{_UPSAMPLE_LAYERS[match[2]]}.{match[3]}'
    return None


def slrt_to_ours(name: str) -> str | None:
    """Our name of one tensor of the authors' recognition network.

    Args:
        name: As in their file, with or without ``recognition_network.``.

    Returns:
        The name in a recognizer's state dict, or None for a tensor that we
        compute instead of storing (the position table) or do not know.

    Examples:
        >>> slrt_to_ours('recognition_network.visual_head.gloss_output_layer.bias')
        'video.head.classifier.bias'
    """
    name = name.removeprefix(PREFIX)
    for theirs, ours in _LATERALS.items():
        match = re.fullmatch(re.escape(theirs) + r'\.(\d+)\.conv\.(\w+)', name)
        if match:
            return f'{ours}.{match[1]}.{match[2]}'
    for theirs, ours in _PYRAMID_HEADS.items():
        match = re.fullmatch(re.escape(theirs) + r'\.(\d+)\.(.+)', name)
        if match:
            layer = _head_layer(match[2])
            return layer and f'{ours}.{match[1]}.{layer}'
    for table, convert in ((_HEADS, _head_layer), (_BACKBONES, _backbone_layer)):
        for theirs, ours in table.items():
            if name.startswith(theirs + '.'):
                layer = convert(name[len(theirs) + 1 :])
                return layer and f'{ours}.{layer}'
    return None


def ours_to_slrt(name: str, two_stream: bool) -> str | None:
    """The authors' name of one tensor of our recognizer; inverse of the above.

    Args:
        name: In the state dict of a recognizer with S3D backbones.
        two_stream: Whether the recognizer has both streams; the authors name the
            backbone of a single stream differently.

    Returns:
        The name with ``recognition_network.``, or None for a tensor that their
        network does not have.
    """
    for theirs, ours in _LATERALS.items():
        match = re.fullmatch(re.escape(ours) + r'\.(\d+)\.(\w+)', name)
        if match:
            return f'{PREFIX}{theirs}.{match[1]}.conv.{match[2]}'
    for theirs, ours in _PYRAMID_HEADS.items():
        match = re.fullmatch(re.escape(ours) + r'\.(\d+)\.(.+)', name)
        if match:
            layer = _slrt_head_layer(match[2])
            return layer and f'{PREFIX}{theirs}.{match[1]}.{layer}'
    for theirs, ours in _HEADS.items():
        if name.startswith(ours + '.'):
            layer = _slrt_head_layer(name[len(ours) + 1 :])
            return layer and f'{PREFIX}{theirs}.{layer}'
    backbones = _TWO_STREAM_BACKBONES if two_stream else _SINGLE_BACKBONES
    for theirs, ours in backbones.items():
        if name.startswith(ours + '.'):
            layer = _slrt_backbone_layer(name[len(ours) + 1 :])
            return layer and f'{PREFIX}{theirs}.{layer}'
    return None


def _slrt_head_layer(rest: str) -> str | None:
    layer, _, leaf = rest.rpartition('.')
    theirs = {ours: theirs for theirs, ours in _HEAD_LAYERS.items()}.get(layer)
    return theirs and f'{theirs}.{leaf}'


def _slrt_backbone_layer(rest: str) -> str | None:
    flat = block_to_flat(rest.removeprefix('backbone.'))
    if rest.startswith('backbone.') and flat is not None:
        return f'backbone.{flat}'
    match = re.fullmatch(r'pyramid\.upsample\.(\d+)\.(\w+)\.(\w+)', rest)
    layers = {ours: theirs for theirs, ours in _UPSAMPLE_LAYERS.items()}
    if match and match[2] in layers:
        return f'pyramid.upsample_layers.{match[1]}.{layers[match[2]]}.{match[3]}'
    return None
