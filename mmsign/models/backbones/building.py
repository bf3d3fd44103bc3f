"""Build a backbone from what a config says and what its stream knows."""

from __future__ import annotations

import inspect

import torch.nn as nn

from mmsign.keypoints import GRAPH_LAYOUTS
from mmsign.registry import MODELS

# What MMAction2's backbones call the channels of their input.
CHANNEL_ARGUMENTS = ('in_channels', 'in_chans')
# Whether `pretrained` names weights of an image network. MMAction2's defaults ask
# for them even where `pretrained` is not given, and then fail.
IMAGE_WEIGHT_ARGUMENTS = ('pretrained2d', 'clip_pretrained')
DEFAULT_GRAPH = dict(layout='mmsign_79', mode='spatial')


def build_backbone(config: dict, in_channels: int) -> nn.Module:
    """Build a backbone of any registry scope.

    Left out in the config, these are filled in where the class takes them: the
    input's channels; ``pretrained`` None where the class insists on it; and that
    nothing is to be inflated from image weights that are not named.

    Args:
        config: Of the backbone.
        in_channels: Channels of its input.

    Raises:
        KeyError: If the type is not registered.
    """
    config = dict(config)
    backbone = MODELS.get(config['type'])
    taken = set() if backbone is None else _arguments(backbone)
    given = [name for name in CHANNEL_ARGUMENTS if name in config]
    for name in CHANNEL_ARGUMENTS:
        if name in taken and not given:
            config[name] = in_channels
    if 'pretrained' in taken and config.setdefault('pretrained', None) is None:
        for name in IMAGE_WEIGHT_ARGUMENTS:
            if name in taken:
                config.setdefault(name, False)
    if 'graph_cfg' in taken:
        graph = config.get('graph_cfg', DEFAULT_GRAPH)
        layout = graph.get('layout')
        if isinstance(layout, str) and layout in GRAPH_LAYOUTS:
            graph = dict(graph, layout=GRAPH_LAYOUTS[layout])
        config['graph_cfg'] = graph
    if 'num_person' in taken:
        config.setdefault('num_person', 1)
    return MODELS.build(config)


def _arguments(backbone: type | object) -> set[str]:
    """Names that a class's ``__init__`` takes, also through ``**kwargs``."""
    names: set[str] = set()
    for base in getattr(backbone, '__mro__', ()):
        if '__init__' not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        names |= {p.name for p in parameters}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names - {'self', 'args', 'kwargs'}
