"""MMPose's and MMDetection's models, built from their registries.

Their ``apis`` need torchvision and take one frame at a time, so they are not used.
Nothing of either is imported before it is asked for: mmsign works without them.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from types import ModuleType

import torch
import yaml
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmsign import compat
from mmsign.download import local_copy
from mmsign.errors import PoseError

RANDOM_WEIGHTS = 'random'
"""In place of a checkpoint: weights as drawn, always the same; for trials."""


def import_package(package: str) -> ModuleType:
    """Import ``mmpose`` or ``mmdet`` with all that registers itself.

    Raises:
        PoseError: If it is not there, or does not work with what is there.
    """
    try:
        module = importlib.import_module(package)
        importlib.import_module(f'{package}.datasets')
        importlib.import_module(f'{package}.models')
    # MMDetection and MMPose assert the version of mmcv.
    except (ImportError, AssertionError) as error:
        raise PoseError(
            f'{package} cannot be imported ({error}); keypoints are estimated by '
            'MMPose with the full mmcv: install them with tools/install_pose.sh, '
            'best into an environment of their own (see docs/keypoints.md)'
        ) from error
    return module


def find_config(package: str, config: str | Path) -> Path:
    """A config file by its path, or by its name among those of the package.

    Raises:
        PoseError: If there is no such file.
    """
    if Path(config).is_file():
        return Path(config)
    shipped = Path(import_package(package).__file__).parent / '.mim' / 'configs'
    # The name alone, with or without suffix; a path that is missing finds nothing.
    if Path(config).parent == Path():
        for path in sorted(shipped.rglob(f'{Path(config).stem}.py')):
            return path
    raise PoseError(
        f'no config {config}: expected a file, or the name of a config of {package} '
        f'under {shipped}'
    )


def published_weights(config: Path) -> str:
    """URL of the weights that belong to a config of the package.

    Raises:
        PoseError: If none are listed beside the config.
    """
    for listing in sorted(config.parent.glob('*.yml')):
        models = (yaml.safe_load(listing.read_text(encoding='utf-8')) or {}).get(
            'Models', ()
        )
        for model in models:
            if Path(model.get('Config', '')).name == config.name and model.get(
                'Weights'
            ):
                return model['Weights']
    raise PoseError(f'no published weights are known for {config}: name a checkpoint')


def build_model(
    package: str,
    config: Config,
    checkpoint: str | Path,
    device: str | torch.device | None,
) -> nn.Module:
    """The network of a config, with weights, ready for ``test_step``.

    Args:
        package: Whose registry builds it.
        config: With ``model``.
        checkpoint: A file, a URL or ``RANDOM_WEIGHTS``.
        device: To put it on; None takes a GPU if there is one.

    Raises:
        PoseError: If the weights are not those of this network.
        ConfigError: If there is no such device.
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file cannot be downloaded, is damaged or would have to
            be trusted.
    """
    device = compat.choose_device(device)
    import_package(package)
    registry = importlib.import_module(f'{package}.registry').MODELS
    # The names are looked up in the current scope, which may be MMAction2's; and
    # the caller's random numbers shall not depend on a network built here.
    scope = DefaultScope.overwrite_default_scope(package)
    with scope, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = registry.build(config.model)
    if str(checkpoint) != RANDOM_WEIGHTS:
        load_weights(model, checkpoint)
    return model.to(device).eval()


def load_weights(model: nn.Module, checkpoint: str | Path) -> None:
    """Fill a network; every weight must be there.

    Raises:
        As ``build_model``.
    """
    path = local_copy(checkpoint, 'name the file as checkpoint')
    content = compat.load_checkpoint(path)
    state = content.get('state_dict', content)
    state = {name.removeprefix('module.'): value for name, value in state.items()}
    try:
        missing, unused = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise PoseError(
            f'{checkpoint} does not fit the network of the config: {error}'
        ) from error
    missing = [name for name in missing if not name.endswith('num_batches_tracked')]
    if missing:
        raise PoseError(
            f'{checkpoint} does not fit the network of the config: {len(missing)} '
            f'weights are not in it, such as {missing[0]}; name the checkpoint that '
            'belongs to the config'
        )
    if unused:
        warnings.warn(
            f'{checkpoint}: {len(unused)} tensors have no place in the network: '
            f'{", ".join(unused[:5])}, …',
            stacklevel=2,
        )


def build_pipeline(package: str, steps: list[dict]) -> list:
    """Transforms of a package's registry."""
    registry = importlib.import_module(f'{package}.registry').TRANSFORMS
    with DefaultScope.overwrite_default_scope(package):
        return [registry.build(dict(step)) for step in steps]
