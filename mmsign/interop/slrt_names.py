"""Names of the paper authors' published recognition checkpoints in ours.

Their state dict has the prefix ``recognition_network.``; two-stream networks
keep both streams under ``visual_backbone_twostream``, single streams under
``visual_backbone`` (video) or ``visual_backbone_keypoint``. SPEC section 7.
"""

from __future__ import annotations

import re

from .s3d_weights import flat_to_block

PREFIX = 'recognition_network.'

# Module prefixes, theirs → ours. ``{stream}`` runs over both streams.
_BACKBONES = {
    'visual_backbone_twostream.rgb_stream': 'video',
    'visual_backbone_twostream.pose_stream': 'keypoint',
    'visual_backbone': 'video',
    'visual_backbone_keypoint': 'keypoint',
}
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
