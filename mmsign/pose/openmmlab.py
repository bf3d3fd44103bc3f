"""MMPose's and MMDetection's models, built from their registries.

Their ``apis`` need torchvision and take one frame at a time, so they are not used.
Nothing of either is imported before it is asked for: mmsign works without them.
"""

import importlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import yaml
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from mmsign import compat
from mmsign.errors import ConfigError, PoseError, explain
from mmsign.models.weights import Weights

RANDOM_WEIGHTS = 'random'
"""In place of a checkpoint: weights as drawn, always the same; for trials."""


class OpenMMLabModel:
    """A network of MMPose or MMDetection, with weights, behind its own test pipeline.

    Args:
        package: ``mmpose`` or ``mmdet``.
        config: The name of a config of the package, or a config file.
        checkpoint: A file, a URL, or ``RANDOM_WEIGHTS``; None takes the weights that
            the package lists for the config, and downloads them once.
        device: To run on; None takes a GPU if there is one.
        options: Dotted key of the config → value.

    Attributes:
        config, checkpoint: Where they are.
        metainfo: Of the data that the network is tested on.
        model: The network.
        pipeline: Steps from a dictionary to what the network takes.

    Raises:
        PoseError: If the package is not installed, there is no such config, or the
            weights are not those of its network.
        ConfigError: If there is no such device.
        FileNotFoundError: If there is no such checkpoint.
        CheckpointError: If it cannot be downloaded, is damaged or would have to be
            trusted.
    """

    def __init__(
        self,
        package: str,
        config: str | Path,
        checkpoint: str | Path | None = None,
        device: str | torch.device | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        registry = import_package(package).registry
        path = find_config(package, config)
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(dict(options or {}))
        self.config = str(path)
        self.checkpoint = str(checkpoint or published_weights(path))
        self.model = build_model(package, cfg.model, self.checkpoint, device)
        data = cfg.test_dataloader.dataset
        kind = registry.DATASETS.get(data.type)
        self.metainfo = data.get('metainfo') or kind.METAINFO
        steps = self._steps(data.pipeline)
        with DefaultScope.overwrite_default_scope(package):
            self.pipeline = Compose([registry.TRANSFORMS.build(s) for s in steps])

    def _steps(self, steps: Sequence[Config]) -> Sequence[dict]:
        return steps

    @torch.inference_mode()
    def _predict(self, data: Iterable[dict]) -> list:
        """The network's data samples of frames, in one step."""
        return self.model.test_step(pseudo_collate([self.pipeline(d) for d in data]))


def import_package(package: str) -> ModuleType:
    """Import ``mmpose`` or ``mmdet`` with all that registers itself.

    Raises:
        PoseError: If it is not there, or does not work with what is there.
    """
    text = f'{package} cannot be imported, install it and the full mmcv by '
    text += 'tools/install_pose.sh, best in their own environment; or do without: '
    text += 'pip install "mmsign[keypoints]", --estimator rtmw (docs/keypoints.md)'
    # MMDetection and MMPose assert the version of mmcv.
    with explain(PoseError, text, ImportError, AssertionError):
        module = importlib.import_module(package)
        importlib.import_module(f'{package}.datasets')
        importlib.import_module(f'{package}.models')
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
    raise PoseError(f'no config {config}: neither a file nor one under {shipped}')


def published_weights(config: Path) -> str:
    """URL of the weights that belong to a config of the package.

    Raises:
        PoseError: If none are listed beside the config.
    """
    for listing in sorted(config.parent.glob('*.yml')):
        content = yaml.safe_load(listing.read_text(encoding='utf-8')) or {}
        for model in content.get('Models', ()):
            named = Path(model.get('Config', '')).name == config.name
            if named and model.get('Weights'):
                return model['Weights']
    raise PoseError(f'no published weights are known for {config}: name a checkpoint')


def build_model(
    package: str, config: Mapping, checkpoint: str, device: str | torch.device | None
) -> nn.Module:
    """The network of a model's config, with weights, ready for ``test_step``."""
    device = compat.choose_device(device)
    registry = import_package(package).registry.MODELS
    # The names are looked up in the current scope, which may be MMAction2's; and
    # the caller's random numbers shall not depend on a network built here.
    scope = DefaultScope.overwrite_default_scope(package)
    with scope, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = registry.build(config)
    if checkpoint != RANDOM_WEIGHTS:
        load_weights(model, checkpoint)
    return model.to(device).eval()


def load_weights(model: nn.Module, checkpoint: str | Path) -> None:
    """Fill a network; every weight must be there. Raises as ``OpenMMLabModel``."""
    state = Weights.read(str(checkpoint)).tensors
    with explain(PoseError, f'{checkpoint} does not fit the config', RuntimeError):
        # Networks of MMPose know the names that their weights had in older versions,
        # so that they themselves must tell which fit.
        missing, unused = model.load_state_dict(state, strict=False)
        if lost := [n for n in missing if not n.endswith('num_batches_tracked')]:
            raise RuntimeError(f'it lacks {len(lost)} weights, such as {lost[0]}')
    if unused:
        notice = f'{len(unused)} tensors have no place in the network: {unused[:5]}'
        warnings.warn(f'{checkpoint}: {notice}', stacklevel=2)


def batches(frames: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """Frames, ``size`` at a time.

    Raises:
        ConfigError: If ``size`` is not positive, or a frame is none.
    """
    if size < 1:
        raise ConfigError(f'batch_size must be 1 or more, not {size}')
    iterator = iter(frames)
    while batch := list(islice(iterator, size)):
        for frame in batch:
            if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
                raise ConfigError(
                    f'expected frames (H, W, 3) uint8, got {frame.shape} {frame.dtype}'
                )
        yield batch
