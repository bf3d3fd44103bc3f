"""Checkpoints to try the loaders on."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmsign.compat.checkpoints import TRUST_VARIABLE


@pytest.fixture(autouse=True)
def nothing_is_trusted(monkeypatch):
    monkeypatch.delenv(TRUST_VARIABLE, raising=False)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def malicious(tmp_path):
    """A checkpoint that runs code, and the folder that this would make."""
    path, crater = tmp_path / 'malicious.pth', tmp_path / 'crater'
    torch.save({'state_dict': {}, 'bomb': Bomb(crater)}, path)
    return path, crater


@pytest.fixture
def mmengine_state():
    """What MMEngine's runner saves, in miniature."""
    return {
        'meta': {'epoch': 2, 'iter': 8, 'dataset_meta': {'sizes': np.array([1, 2])}},
        'state_dict': torch.nn.Linear(2, 1).state_dict(),
        'message_hub': {
            'log_scalars': {'train/loss': HistoryBuffer([2.0, 1.0], [1, 1])},
            'runtime_info': {'best_score': np.float64(12.5)},
            'resumed_keys': {'train/loss': True, 'best_score': True},
        },
        'optimizer': {'state': {0: {'step': torch.tensor(8.0)}}, 'param_groups': []},
    }
