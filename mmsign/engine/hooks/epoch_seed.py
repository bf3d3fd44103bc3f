"""Random numbers that depend on the epoch and not on what went before."""

import random
from functools import partial

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmsign.registry import HOOKS


def seed_everything(*entropy: int) -> None:
    """Seed Python's, numpy's and torch's generators from a tuple of integers."""
    seeds = np.random.SeedSequence(entropy).generate_state(3)
    random.seed(int(seeds[0]))
    np.random.seed(int(seeds[1]))
    torch.manual_seed(int(seeds[2]))


def seed_worker(worker_id: int, seed: int, epoch: int, rank: int) -> None:
    """Seed a data loader's worker process: a ``worker_init_fn``."""
    seed_everything(seed, epoch, rank, worker_id + 1)


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed every generator anew at the start of each training epoch.

    The seed is made of the run's seed, the epoch and the rank, so that a resumed
    run draws the same augmentations and dropout masks as an uninterrupted one, and
    ends with the same scores (on one kind of machine; GPU kernels may still sum in
    another order). It also answers that MMEngine gives a worker the same seed in
    every epoch unless ``persistent_workers`` is set; with ``persistent_workers`` the
    workers keep their own state and only the main process is reproducible.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        seed, epoch, rank = runner.seed, runner.epoch, get_rank()
        seed_everything(seed, epoch, rank, 0)
        runner.train_dataloader.worker_init_fn = partial(
            seed_worker, seed=seed, epoch=epoch, rank=rank
        )
