"""A run of MMEngine's runner that takes a second: 3 parameters, 8 clips.

The data and the loss draw random numbers, so that a resumed run agrees with an
uninterrupted one only if the generators do.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from mmsign.registry import DATASETS, METRICS, MODELS


@MODELS.register_module()
class TinyModel(BaseModel):
    """y = a x0 + b x1 + c, and noise in the loss.

    Args:
        vocab: Kept to be looked at.
    """

    def __init__(self, vocab: dict | None = None) -> None:
        super().__init__()
        self.vocab = vocab
        self.linear = nn.Linear(2, 1)
        self.seen_dtypes = set()

    def forward(self, inputs, data_samples, mode='tensor'):
        output = self.linear(torch.stack(list(inputs)))[:, 0]
        self.seen_dtypes.add(output.dtype)
        targets = torch.tensor(data_samples['target'])
        if mode == 'loss':
            noise = 0.1 * torch.rand(len(targets))
            return {'loss': ((output.float() - targets - noise) ** 2).mean()}
        return [
            {'index': index, 'error': float(abs(o - t))}
            for index, o, t in zip(data_samples['index'], output, targets)
        ]


@DATASETS.register_module()
class TinyDataset(Dataset):
    """Points of a plane; when training, with noise from numpy's generator."""

    metainfo = {'dataset': 'tiny', 'sizes': (1, 2)}

    def __init__(self, data_root: str = '', size: int = 8, train: bool = True) -> None:
        self.data_root, self.size, self.train = data_root, size, train

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        point = np.array([index / self.size, 1.0], dtype=np.float32)
        if self.train:
            point += np.random.normal(0, 0.01, 2).astype(np.float32)
        sample = {'index': index, 'target': 2.0 * index / self.size - 1.0}
        return {'inputs': torch.from_numpy(point), 'data_samples': sample}


@METRICS.register_module()
class TinyMetric(BaseMetric):
    """Mean error, and how many different clips were seen."""

    def process(self, data_batch, data_samples) -> None:
        self.results += data_samples

    def compute_metrics(self, results: list) -> dict[str, float]:
        # numpy scalars, as many metrics return them.
        return {
            'error': np.mean([r['error'] for r in results]),
            'clips': len({r['index'] for r in results}),
        }


CONFIG = """
    custom_imports = dict(imports=[
        'mmsign.engine.hooks.epoch_seed', 'mmsign.engine.hooks.safe_checkpoint',
        'tiny_run'])
    default_scope = 'mmsign'
    data_root = '{data_root}'
    model = dict(type='TinyModel')
    train_dataloader = dict(
        batch_size=2, num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(type='TinyDataset', data_root=data_root))
    val_dataloader = dict(
        batch_size=2, num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(type='TinyDataset', data_root=data_root, size=5, train=False))
    test_dataloader = val_dataloader
    val_evaluator = dict(type='TinyMetric')
    test_evaluator = val_evaluator
    train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=4, val_interval=1)
    val_cfg = dict(type='ValLoop')
    test_cfg = dict(type='TestLoop')
    optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.05))
    param_scheduler = [
        dict(type='CosineAnnealingLR', T_max=4, eta_min=0, by_epoch=True)]
    default_hooks = dict(
        logger=dict(type='LoggerHook', interval=2),
        checkpoint=dict(
            type='{checkpoint_hook}', interval=1, max_keep_ckpts=1,
            save_best='error', rule='less'))
    custom_hooks = [dict(type='EpochSeedHook')]
    randomness = dict(seed=3)
    visualizer = None
"""


def write_config(
    folder: Path, checkpoint_hook: str = 'SafeCheckpointHook', extra: str = ''
) -> Path:
    """Write the config of a tiny run and the folder that its data_root names."""
    data_root = folder / 'data'
    data_root.mkdir(exist_ok=True)
    text = CONFIG.format(data_root=data_root, checkpoint_hook=checkpoint_hook)
    path = folder / 'tiny.py'
    path.write_text(textwrap.dedent(text) + extra, encoding='utf-8')
    return path


def unformatted_configs():
    """Within this context MMEngine writes configs as they come.

    It formats the config for each runner and each checkpoint, which takes longer
    than such a run.
    """
    return mock.patch(
        'mmengine.config.config.FormatCode', lambda text, **_: (text, True)
    )


TOOLS = Path(__file__).parents[2] / 'tools'
_names = itertools.count()


def unique_name() -> str:
    """An experiment name: MMEngine's runners of one second share their message hub."""
    return f'tiny_{next(_names)}'


def load_tool(name: str) -> ModuleType:
    """The script ``tools/<name>.py`` as a module."""
    spec = importlib.util.spec_from_file_location(f'tool_{name}', TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look up the module of their annotations.
    sys.modules[spec.name] = module
    # Python puts a script's own folder first.
    folder = str((TOOLS / f'{name}.py').parent)
    with mock.patch.object(sys, 'path', [folder, *sys.path]):
        spec.loader.exec_module(module)
    return module
