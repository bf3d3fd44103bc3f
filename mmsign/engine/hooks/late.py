"""Values of a training step that are looked at without waiting for the device."""

from collections.abc import Callable

import torch
from mmengine.hooks import Hook, LoggerHook, RuntimeInfoHook
from torch import Tensor

from mmsign.registry import HOOKS


class LateHook(Hook):
    """A hook that looks at values of each step when the device is done with it.

    On a CPU that is at once. A GPU would be idle while it is waited for: there the
    values are copied behind the step's work and looked at one step later, but in any
    case before a checkpoint is written and before an epoch ends.
    """

    # What is to be looked at, by whom, and the event that tells that it is there.
    _unseen: tuple | None = None

    def look_later(self, values: Tensor, look: Callable[[Tensor], None]) -> None:
        """Call ``look`` with a copy of ``values`` on the host, some time.

        What was to be looked at before is looked at now.
        """
        self.look_now()
        if not is_on_its_way(values):
            look(values)
            return
        host = torch.empty_like(values, device='cpu', pin_memory=values.is_cuda)
        host.copy_(values, non_blocking=True)
        copied = torch.cuda.current_stream().record_event() if values.is_cuda else None
        self._unseen = host, look, copied

    def look_now(self) -> None:
        """Look at what has not been looked at; waits for the device."""
        unseen, self._unseen = self._unseen, None
        if unseen is not None:
            host, look, copied = unseen
            if copied is not None:
                copied.synchronize()
            look(host)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Nothing unseen may be spoilt in it."""
        self.look_now()

    def after_train_epoch(self, runner) -> None:
        """As ``before_save_checkpoint``."""
        self.look_now()

    def after_train(self, runner) -> None:
        """As ``before_save_checkpoint``, for runs that count no epochs."""
        self.look_now()
        super().after_train(runner)


def is_on_its_way(values: Tensor) -> bool:
    """Whether reading the values would wait."""
    return values.is_cuda


@HOOKS.register_module()
class LateRuntimeInfoHook(LateHook, RuntimeInfoHook):
    """MMEngine's RuntimeInfoHook, which waits for the device at every loss.

    Here the losses of a step are copied together and noted one step later, or when
    they are logged.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        """Note the losses."""
        tensors = [v for v in (outputs or {}).values() if isinstance(v, Tensor)]
        if not any(map(is_on_its_way, tensors)):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
            return
        device = next(v.device for v in tensors if is_on_its_way(v))
        values = [
            torch.as_tensor(value, device=device, dtype=torch.float32).detach().mean()
            for value in outputs.values()
        ]
        names = [f'train/{name}' for name in outputs]

        def note(losses: Tensor) -> None:
            for name, value in zip(names, losses.tolist(), strict=True):
                runner.message_hub.update_scalar(name, value)

        self.look_later(torch.stack(values), note)
        if self._is_logged(runner, batch_idx):
            self.look_now()

    def _is_logged(self, runner, batch_idx: int) -> bool:
        loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]
        return self.end_of_epoch(runner.train_dataloader, batch_idx) or any(
            self.every_n_inner_iters(batch_idx, hook.interval) for hook in loggers
        )
