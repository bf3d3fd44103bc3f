"""What a user must hear about a running training."""

import torch
from mmengine.dist import all_gather_object
from torch import Tensor

from mmsign.errors import TrainingError
from mmsign.registry import HOOKS

from .late import LateHook
from .runs import advice_on, listed, model_of


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
        clips, iteration = [sample.clip_id for sample in samples], runner.iter + 1

        def check(loss: Tensor) -> None:
            if not bool(torch.isfinite(loss).all()):
                shown = {k: float(value) for k, value in terms.items() if 'loss' in k}
                raise TrainingError(
                    f'the loss is {float(loss)} at iteration {iteration}, in the batch '
                    f'of clips {clips}; its terms: {shown}. {advice_on(runner)}'
                )

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
