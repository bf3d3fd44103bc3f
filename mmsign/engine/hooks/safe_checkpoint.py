"""Checkpointing of a run that may be killed at any moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmsign.registry import HOOKS

VALIDATED_EPOCH = 'validated_epoch'


class _KeepsFiles:
    """A file backend that notes what it should remove instead of doing it."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.unwanted: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        self.unwanted.append(path)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook without its two gaps.

    * MMEngine removes the old checkpoint (and the old best one) before it writes
      the new one. Here the old one goes when the new one is complete, so a run with
      ``max_keep_ckpts=1`` always has one to resume from.
    * MMEngine saves an epoch before validating it and, on resuming, goes on with
      the next epoch: a run killed while it validates loses that validation, and
      with it perhaps its best score. Here a checkpoint says which epoch was
      validated last, and a validation that is still due is made up for on resume.

    Both concern checkpoints per epoch; the arguments are those of CheckpointHook.
    """

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if not self.by_epoch or runner.epoch == 0:
            return
        resumed_from = self._path_of_epoch(runner.epoch)
        if self.file_backend.isfile(resumed_from):
            self.last_ckpt = resumed_from
        if self._validation_is_due(runner):
            runner.logger.info(
                f'Epoch {runner.epoch} was saved but not validated: validating it now'
            )
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any]) -> None:
        runner.message_hub.update_info(VALIDATED_EPOCH, runner.epoch)
        self._saved_again = False
        with self._old_files_kept():
            super().after_val_epoch(runner, metrics)
            is_last = self.last_ckpt == self._path_of_epoch(runner.epoch)
            if self.by_epoch and is_last and not self._saved_again:
                meta = {'epoch': runner.epoch, 'iter': runner.iter}
                self._save_checkpoint_with_step(runner, runner.epoch, meta)

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        self._saved_again = True
        with self._old_files_kept():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _path_of_epoch(self, epoch: int) -> str | None:
        # `out_dir` is complete only once training has begun.
        if self.out_dir is None:
            return None
        name = self.filename_tmpl.format(epoch)
        return self.file_backend.join_path(self.out_dir, name)

    def _validation_is_due(self, runner: Runner) -> bool:
        if runner.val_loop is None:
            return False
        epoch, loop = runner.epoch, runner.train_loop
        planned = epoch >= loop.val_begin and (
            epoch % loop.val_interval == 0 or epoch == loop.max_epochs
        )
        return planned and runner.message_hub.get_info(VALIDATED_EPOCH) != epoch

    @contextmanager
    def _old_files_kept(self) -> Iterator[None]:
        """Put off removals of files to the end of the outermost such region."""
        if isinstance(self.file_backend, _KeepsFiles):
            yield
            return
        keeper = _KeepsFiles(self.file_backend)
        self.file_backend = keeper
        try:
            yield
        finally:
            self.file_backend = keeper.backend
        if not is_main_process():
            return
        current = {self.last_ckpt, getattr(self, 'best_ckpt_path', None)}
        current.update(getattr(self, 'best_ckpt_path_dict', {}).values())
        for path in keeper.unwanted:
            if path not in current:
                keeper.backend.remove(path)
