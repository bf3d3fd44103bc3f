from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from mmsign.engine.hooks import epoch_seed
from mmsign.engine.hooks.epoch_seed import EpochSeedHook, seed_everything


class Draws(Dataset):
    """Every clip is three random numbers, one of each generator."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.tensor([random.random(), np.random.rand(), torch.rand(()).item()])


def epochs(workers: int, *numbers: int) -> list[torch.Tensor]:
    """The numbers drawn in the given epochs by a run that starts with the first."""
    loader = DataLoader(Draws(), batch_size=2, num_workers=workers)
    drawn = []
    for epoch in numbers:
        runner = SimpleNamespace(seed=5, epoch=epoch, train_dataloader=loader)
        EpochSeedHook().before_train_epoch(runner)
        drawn.append(torch.cat(list(loader)))
    return drawn


def test_an_epoch_does_not_depend_on_those_before():
    for workers in (0, 2):
        _, second = epochs(workers, 0, 1)
        (alone,) = epochs(workers, 1)
        assert torch.equal(second, alone)


@pytest.mark.slow
def test_epochs_workers_ranks_and_generators_differ(monkeypatch):
    first, second = epochs(2, 0, 1)
    monkeypatch.setattr(epoch_seed, 'get_rank', lambda: 1)
    (other_rank,) = epochs(2, 0)
    numbers = torch.cat([first, second, other_rank]).flatten()
    assert len(numbers.unique()) == len(numbers)


def test_seed_everything_is_a_function_of_all_its_arguments():
    draws = set()
    for entropy in ((1, 2), (2, 1), (1, 2, 0, 3), (12,)):
        seed_everything(*entropy)
        draws.add((random.random(), np.random.rand(), torch.rand(()).item()))
    seed_everything(1, 2)
    assert (random.random(), np.random.rand(), torch.rand(()).item()) in draws
    assert len(draws) == 4
