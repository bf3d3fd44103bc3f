"""Checkpoints of VAC and of those that share its head (SMKD, SEN, CorrNet,
SlowFastSign), read into our names.

Their networks have one video stream: ``conv2d`` is the backbone, ``conv1d`` the
convolutions over time and their classifier ``fc``, ``temporal_model`` the LSTM,
``classifier`` its classifier. SlowFastSign's have three such heads, of which the second
and third are its pathways'.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from mmsign.errors import CheckpointError
from mmsign.models.backbones.corrnet import corrnet_name
from mmsign.models.backbones.slowfast import slowfast_name

from .slrt_checkpoint import Converted

_HEAD = 'video.head.'
_BRANCHES = {
    name: f'{_HEAD}{inside}'
    for names, inside in (
        (('', 'main', '0'), ''),
        (('slow', '1'), 'pathways.slow.'),
        (('fast', '2'), 'pathways.fast.'),
    )
    for name in names
}
_CONVOLUTIONS = re.compile(r'conv1d\.(?:(\w+)_)?temporal_conv\.(\d+)\.(\w+)')
# Of the other parts theirs, with the number of a head, and ours.
_PARTS = {
    re.compile(r'temporal_model\.(?:(\d)\.)?rnn\.(\w+)'): 'lstm',
    re.compile(r'classifier\.(?:(\d)\.)?(\w+)'): 'classifier',
    re.compile(r'conv1d\.fc\.(?:(\d)\.)?(\w+)'): 'convolution_classifier',
}


def is_vac_state(state: Mapping[str, Tensor]) -> bool:
    """Whether these are tensors of such a network."""
    return any(_CONVOLUTIONS.fullmatch(name) for name in state)


def convert_vac(state: Mapping[str, Tensor]) -> Converted:
    """The tensors under the names of our recognizer.

    The backbone's are those of MMAction2's ResNet, of ``CorrNet`` or of
    ``BidirectionalSlowFast``.

    Raises:
        CheckpointError: If two tensors get one name.
    """
    tensors, sources, left_out = {}, {}, {}
    for name, value in state.items():
        ours = _our_name(name, state)
        if ours is None:
            left_out[name] = 'not of the network'
            continue
        if ours in sources:
            raise CheckpointError(f'{name} and {sources[ours]} are both {ours}')
        is_class_weight = ours.endswith('classifier.weight')
        if is_class_weight and name.replace('weight', 'bias') not in state:
            value = value.t().contiguous()  # a normalised one has its classes last
        tensors[ours], sources[ours] = value, name
    for name in [n for n in tensors if 'convolution_classifier' in n]:
        shared = tensors[name.replace('convolution_classifier', 'classifier')]
        if torch.equal(tensors[name], shared):
            left_out[sources.pop(name)] = 'one with classifier'
            del tensors[name]
    return Converted(tensors, sources, left_out)


def _our_name(name: str, state: Mapping[str, Tensor]) -> str | None:
    if match := _CONVOLUTIONS.fullmatch(name):
        branch, number, own = match.groups()
        before = name[: match.start(2)]
        # Of the layers those with parameters: a convolution and its batch norm.
        layers = {n.split('.')[-2] for n in state if n.startswith(before)}
        index = sorted(map(int, layers)).index(int(number))
        part = ('convolutions', 'norms')[index % 2]
        return f'{_BRANCHES[branch or ""]}{part}.{index // 2}.{own}'
    for pattern, part in _PARTS.items():
        if match := pattern.fullmatch(name):
            return f'{_BRANCHES[match[1] or ""]}{part}.{match[2]}'
    if not name.startswith('conv2d.'):
        return None
    inside = corrnet_name(slowfast_name(name.removeprefix('conv2d.')))
    return f'video.backbone.{inside}'
