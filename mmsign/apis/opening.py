"""A network from whatever describes it."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config

from mmsign.errors import BundleError, ConfigError

from .bundle import read_bundle
from .networks import Network, build_network, load_network


def open_network(
    config: str | Path | Config | None = None,
    checkpoint: str | Path | None = None,
    bundle: str | Path | None = None,
    device: str | torch.device | None = None,
    fast: bool = False,
) -> Network:
    """Build a network from a config and a checkpoint, or from a bundle.

    Args:
        config, checkpoint: Both, or neither.
        bundle: Instead.
        device: None takes a GPU if there is one.
        fast: See ``build_network``.

    Raises:
        ConfigError: If the arguments do not name one network; see also
            ``load_network``.
        FileNotFoundError, CheckpointError, BundleError: If a file is not what it
            should be; it is named.
    """
    if bundle is not None and config is checkpoint is None:
        read = read_bundle(bundle)
        try:
            return build_network(read.spec, read.state, device, fast)
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(f'{bundle}: {error}') from error
    if bundle is None and None not in (config, checkpoint):
        return load_network(config, checkpoint, device, fast)
    raise ConfigError(
        'name one network: a config and its checkpoint, or a bundle '
        '(--config FILE --checkpoint FILE, or --bundle FILE)'
    )
