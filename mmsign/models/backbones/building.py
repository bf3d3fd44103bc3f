"""Build a backbone from what a config says and what its stream knows."""

import torch.nn as nn

from mmsign.keypoints import GRAPH_LAYOUTS
from mmsign.registry import MODELS, arguments_of

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
    taken, _ = arguments_of(MODELS.get(config['type']))
    defaults = dict(pretrained=None, num_person=1, graph_cfg=DEFAULT_GRAPH)
    if not any(name in config for name in CHANNEL_ARGUMENTS):
        defaults |= dict.fromkeys(CHANNEL_ARGUMENTS, in_channels)
    if 'pretrained' in taken and config.get('pretrained') is None:
        defaults |= dict.fromkeys(IMAGE_WEIGHT_ARGUMENTS, False)
    config = {k: v for k, v in defaults.items() if k in taken} | dict(config)
    layout = config.get('graph_cfg', {}).get('layout')
    if isinstance(layout, str) and layout in GRAPH_LAYOUTS:
        config['graph_cfg'] = dict(config['graph_cfg'], layout=GRAPH_LAYOUTS[layout])
    return MODELS.build(config)
