"""Stop before gradients that are not finite spoil a checkpoint."""

from functools import partial

import torch
from torch import Tensor

from mmsign.errors import ConfigError, TrainingError
from mmsign.registry import HOOKS

from .late import LateHook
from .runs import advice_on, listed, model_of


@HOOKS.register_module()
class FiniteGradientsHook(LateHook):
    """Stop on gradients that are not finite, naming iteration, clips and parameters.

    A finite loss may have gradients that are not (a root at zero, say), and the step
    they are used in makes every weight NaN. The norms are taken on the device when the
    optimizer steps and looked at after the iteration (see ``LateHook``), before a
    checkpoint is written.

    With a loss scaler (mixed precision on a GPU) gradients beyond float16 are normal:
    the scaler leaves such a step out and scales less. That is an error only if it
    goes on for ``skips_allowed`` updates, by when the scale, halved each time, cannot
    be the reason. Optimizers that undo the scale themselves (``fused=True``) are
    left to the scaler.

    Args:
        skips_allowed: Updates in a row that a loss scaler may leave out.
        names_shown: How many parameters are named.
    """

    # Before the checkpoint hook, and after TrainingReportHook, which is listed first
    # and says more about a loss that is not finite.
    priority = 'NORMAL'

    def __init__(self, skips_allowed: int = 20, names_shown: int = 3) -> None:
        if skips_allowed < 0:
            raise ConfigError(f'skips_allowed must not be negative: {skips_allowed}')
        self.skips_allowed = skips_allowed
        self.names_shown = names_shown
        self._skipped = 0
        self._clips: list[str] = []
        self._steps: list[tuple[list[Tensor], Tensor]] = []

    def before_train(self, runner) -> None:
        """Watch the optimizer's steps."""
        runner.optim_wrapper.optimizer.register_step_pre_hook(self._before_step)

    def _before_step(self, optimizer, args, kwargs) -> None:
        trained = (p for group in optimizer.param_groups for p in group['params'])
        parameters = [p for p in trained if p.grad is not None]
        if getattr(optimizer, 'found_inf', None) is not None or not parameters:
            self._steps.append(([], torch.zeros(0)))
            return
        # One launch for all, and no wait for the device.
        norms = torch._foreach_norm([parameter.grad for parameter in parameters])
        self._steps.append((parameters, torch.stack(norms)))

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Raise TrainingError if an update had gradients that are not finite."""
        samples = (data_batch or {}).get('data_samples') or []
        self._clips += [getattr(sample, 'clip_id', '?') for sample in samples]
        if not runner.optim_wrapper.should_update():
            return
        steps, self._steps = self._steps, []
        clips, self._clips = self._clips, []
        self._skipped = 0 if steps else self._skipped + 1
        if self._skipped > self.skips_allowed:
            raise TrainingError(
                f'the gradients were not finite in {self._skipped} updates in a row, '
                f'up to iteration {runner.iter + 1} with clips {clips}; the loss '
                f'scaler left them all out. {advice_on(runner)}'
            )
        for parameters, norms in steps:
            found = partial(self._check, runner, runner.iter + 1, clips, parameters)
            self.look_later(norms, found)

    def _check(
        self, runner, iteration: int, clips: list[str], parameters, norms: Tensor
    ) -> None:
        finite = torch.isfinite(norms).tolist()
        if all(finite):
            return
        spoilt = [p for p, good in zip(parameters, finite) if not good]
        names = {id(p): name for name, p in model_of(runner).named_parameters()}
        shown = listed([names.get(id(p), '?') for p in spoilt], self.names_shown)
        raise TrainingError(
            f'the gradients of {len(spoilt)} of {len(parameters)} parameters are not '
            f'finite at iteration {iteration} ({shown}), though the loss is, in the '
            f'update from clips {clips}. {advice_on(runner)}'
        )
