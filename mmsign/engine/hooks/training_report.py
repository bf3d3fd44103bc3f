"""What a user must hear about a running training."""

from __future__ import annotations

from functools import partial

import torch
from mmengine.dist import all_gather_object
from torch import Tensor

from mmsign.errors import TrainingError
from mmsign.registry import HOOKS

from .late import LateHook
from .runs import listed, model_of


@HOOKS.register_module()
class TrainingReportHook(LateHook):
    """Stop on a loss that is not finite; count infeasible targets per epoch.

    A target with more glosses than CTC can align with its clip's output steps is
    zeroed in the loss. It is not an error, since a random short sampling can cause
    it, but it is never silent: each epoch ends with a count, over all
    processes, and the names of some of the clips.

    Args:
        names_shown: How many clips are named.
    """

    # Before the checkpoint hook, so that weights spoilt by a loss that is not
    # finite never reach a checkpoint.
    priority = 'NORMAL'

    def __init__(self, names_shown: int = 5) -> None:
        self.names_shown = names_shown
        self._infeasible: set[str] = set()

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Raise TrainingError naming the clips of a non-finite loss."""
        samples = (data_batch or {}).get('data_samples') or []
        model = model_of(runner)
        if hasattr(model, 'infeasible'):
            self._infeasible.update(model.infeasible(samples))
        if not outputs or outputs.get('loss') is None:
            return
        terms = {key: torch.as_tensor(value).detach() for key, value in outputs.items()}
        clips = [sample.clip_id for sample in samples]
        check = partial(_check, terms, clips, runner.iter + 1, runner.work_dir)
        self.look_later(terms['loss'], check)

    def after_train_epoch(self, runner) -> None:
        """Log how many clips had targets longer than their output."""
        super().after_train_epoch(runner)
        gathered = all_gather_object(sorted(self._infeasible))
        self._infeasible.clear()
        clips = sorted({clip for part in gathered for clip in part})
        if clips:
            shown = listed(clips, self.names_shown)
            runner.logger.warning(
                f'epoch {runner.epoch + 1}: {len(clips)} clip(s) with more glosses '
                f'than output steps, their CTC loss was zeroed: {shown}'
            )


def _check(
    terms: dict[str, Tensor],
    clips: list[str],
    iteration: int,
    folder: str,
    loss: Tensor,
) -> None:
    if bool(torch.isfinite(loss).all()):
        return
    shown = {key: float(value) for key, value in terms.items() if 'loss' in key}
    raise TrainingError(
        f'the loss is {float(loss)} at iteration {iteration}, in the batch of clips '
        f'{clips}; its terms: {shown}. The last checkpoint in {folder} was written '
        'before this. Look at these clips; lower the learning rate, or clip gradients '
        'with optim_wrapper.clip_grad'
    )
