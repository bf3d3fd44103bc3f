"""What a user must hear about a running training."""

from __future__ import annotations

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from mmsign.errors import TrainingError
from mmsign.registry import HOOKS

from .runs import listed, model_of


@HOOKS.register_module()
class TrainingReportHook(Hook):
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
        loss = (outputs or {}).get('loss')
        if loss is None or bool(torch.isfinite(torch.as_tensor(loss)).all()):
            return
        clips = [sample.clip_id for sample in samples]
        terms = {key: float(value) for key, value in outputs.items() if 'loss' in key}
        raise TrainingError(
            f'the loss is {float(loss)} at iteration {runner.iter + 1}, in the batch '
            f'of clips {clips}; its terms: {terms}. The last checkpoint in '
            f'{runner.work_dir} was written before this. Look at these clips; lower '
            'the learning rate, or clip gradients with optim_wrapper.clip_grad'
        )

    def after_train_epoch(self, runner) -> None:
        """Log how many clips had targets longer than their output."""
        gathered = all_gather_object(sorted(self._infeasible))
        self._infeasible.clear()
        clips = sorted({clip for part in gathered for clip in part})
        if clips:
            shown = listed(clips, self.names_shown)
            runner.logger.warning(
                f'epoch {runner.epoch + 1}: {len(clips)} clip(s) with more glosses '
                f'than output steps, their CTC loss was zeroed: {shown}'
            )
