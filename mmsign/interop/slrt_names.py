"""Names of the paper authors' published checkpoints, and ours.

Their recognition networks have the prefix ``recognition_network.``; two-stream networks
keep both streams under ``visual_backbone_twostream``, single streams under
``visual_backbone`` (video) or ``visual_backbone_keypoint``. Heads hold a table of
sinusoidal positions, ``pe.pe``, which we compute instead of storing.

MSKA's files, by other authors on the same code, name the groups of points in front of
the layers; their blocks hold tables of positions, ``pes.pe``, and zeros, ``atts``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from mmsign.models.backbones.s3d import flat_to_block

PREFIX = 'recognition_network.'
POSITION_TABLE = 'pe.pe'
# Of MSKA's blocks.
POINT_TABLE, ZEROS = '.pes.pe', '.atts'

# Parts of the networks, theirs → ours. ``#`` is a number, ``@`` a tensor's own name,
# ``*`` whatever follows.
_TWIN = 'visual_backbone_twostream'
_TWO_STREAMS = {f'{_TWIN}.rgb_stream': 'video', f'{_TWIN}.pose_stream': 'keypoint'}
_ONE_STREAM = {'visual_backbone': 'video', 'visual_backbone_keypoint': 'keypoint'}
_HEADS = {
    'visual_head': 'video.head',
    'visual_head_keypoint': 'keypoint.head',
    'visual_head_fuse': 'joint_head',
    'visual_head_remain.#': 'video.pyramid_head.heads.#',
    'visual_head_keypoint_remain.#': 'keypoint.pyramid_head.heads.#',
}
_HEAD_LAYERS = {
    'fc1.@': 'fc.@',
    'bn1.norm.@': 'norm.@',
    'feedforward.layer_norm.@': 'feedforward.norm.@',
    'feedforward.pwff_layer.0.@': 'feedforward.conv1.@',
    'feedforward.pwff_layer.3.@': 'feedforward.conv2.@',
    'layer_norm.@': 'norm_out.@',
    'gloss_output_layer.@': 'classifier.@',
}
_S3D_LAYERS = [f'base.{number}.*' for number in range(16)]
_BACKBONE_LAYERS = {
    'pyramid.upsample_layers.#.conv_trans_@.@': 'pyramid.upsample.#.conv_@.@',
    'pyramid.upsample_layers.#.bn_@.@': 'pyramid.upsample.#.bn_@.@',
    **{f'backbone.{name}': f'backbone.{flat_to_block(name)}' for name in _S3D_LAYERS},
}
# From theirs to ours alone: written back, tables of theirs would be missing.
_MSKA_LAYERS = {
    'input_map.#.@': 'embedding.#.@',
    'graph_layers.#.alphas': 'blocks.#.scale',
    'graph_layers.#.attention0s': 'blocks.#.prior',
    'graph_layers.#.in_nets.@': 'blocks.#.query_key.@',
    **{
        f'graph_layers.#.{theirs}.#.@': f'blocks.#.{ours}.#.@'
        for theirs, ours in dict(
            out_nets='mix',
            ff_nets='feedforward',
            out_nett='temporal',
            downs1='shortcut1',
            downs2='shortcut2',
            downt2='shortcut_time',
        ).items()
    },
}
_MSKA = {
    **{
        f'visual_backbone_keypoint.@_{theirs}': f'keypoint.backbone.groups.@.{ours}'
        for theirs, ours in _MSKA_LAYERS.items()
    },
    **{
        f'@_visual_head.{theirs}': f'keypoint.head.heads.@.{ours}'
        for theirs, ours in _HEAD_LAYERS.items()
    },
}
_TRANSLATION = {
    'vl_mapper.mapping.*': 'mapper.*',
    'translation_network.model.*': 'mbart.network.*',
    'translation_network.gloss_embedding.*': 'mbart.gloss_embedding.*',
}


def _pairs(backbones: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Patterns of the names of a recognition network, theirs and ours."""
    for theirs, ours in backbones.items():
        # Their lateral modules are named after the stream that they feed.
        yield f'{theirs}_lateral.#.conv.@', f'bilateral.to_{ours}.#.@'
    for parts, layers in ((_HEADS, _HEAD_LAYERS), (backbones, _BACKBONE_LAYERS)):
        for part, layer in product(parts.items(), layers.items()):
            yield f'{part[0]}.{layer[0]}', f'{part[1]}.{layer[1]}'


def _compiled(pairs: Iterable[tuple[str, str]]) -> list[tuple[re.Pattern, str]]:
    """From patterns and what they become to regular expressions and templates."""
    wild = {'#': r'(\d+)', '@': r'(\w+)', '*': r'(.+)'}
    table = []
    for source, target in pairs:
        pattern = re.compile(''.join(wild.get(c, re.escape(c)) for c in source))
        table.append((pattern, re.sub('[#@*]', '{}', target)))
    return table


def _renamed(name: str, table: list[tuple[re.Pattern, str]]) -> str | None:
    for pattern, template in table:
        if match := pattern.fullmatch(name):
            return template.format(*match.groups())
    return None


_TO_OURS = _compiled([*_pairs(_TWO_STREAMS | _ONE_STREAM), *_MSKA.items()])
_TO_THEIRS = [_compiled(map(reversed, _pairs(s))) for s in (_ONE_STREAM, _TWO_STREAMS)]
_TRANSLATION_TO_OURS = _compiled(_TRANSLATION.items())
_TRANSLATION_TO_THEIRS = _compiled(map(reversed, _TRANSLATION.items()))


def slrt_to_ours(name: str) -> str | None:
    """Our name of one tensor of the authors' recognition network.

    Args:
        name: As in their file, with or without ``recognition_network.``.

    Returns:
        The name in a recognizer's state dict, or None for a tensor that we
        compute instead of storing (the position table) or do not know.

    Examples:
        >>> slrt_to_ours('recognition_network.visual_head.fc1.weight')
        'video.head.fc.weight'
    """
    name = name.removeprefix(PREFIX)
    # Two-stream networks nest the S3D once more than single ones had to.
    name = re.sub(r'(?<!\.backbone)\.base\.', '.backbone.base.', name)
    return _renamed(name, _TO_OURS)


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
    theirs = _renamed(name, _TO_THEIRS[two_stream])
    return theirs and PREFIX + theirs


def slrt_to_translation(name: str) -> str | None:
    """Our name, in a translation head, of a tensor of their translation network."""
    return _renamed(name, _TRANSLATION_TO_OURS)


def translation_to_slrt(name: str) -> str | None:
    """The authors' name of one tensor of a translation head."""
    return _renamed(name, _TRANSLATION_TO_THEIRS)
