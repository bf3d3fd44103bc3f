"""A hook that kills one process of several in the middle of an epoch."""

from __future__ import annotations

import os
import signal

from mmengine.dist import get_rank
from mmengine.hooks import Hook

from mmsign.registry import HOOKS


@HOOKS.register_module(force=True)
class DieHook(Hook):
    """SIGKILL process 1 in the second epoch; the others go on and wait for it."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 1 and batch_idx == 1 and get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
