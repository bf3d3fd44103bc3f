"""Tests that need a GPU; elsewhere they are skipped.

``MMSIGN_GPU_TESTS=cpu`` runs all but those of CUDA itself on the CPU, to try the tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
TRIED_ON_CPU = os.environ.get('MMSIGN_GPU_TESTS') == 'cpu'
HAS_GPU = torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            if not HAS_GPU and not TRIED_ON_CPU:
                item.add_marker(pytest.mark.skip(reason='there is no GPU'))


@pytest.fixture
def device() -> torch.device:
    return torch.device('cuda' if HAS_GPU else 'cpu')


@pytest.fixture
def cuda() -> torch.device:
    """Of what makes no sense elsewhere."""
    if not HAS_GPU:
        pytest.skip('needs CUDA')
    return torch.device('cuda')


@pytest.fixture(autouse=True)
def exact():
    """float32 is float32: TF32, which convolutions may use, is not compared."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
