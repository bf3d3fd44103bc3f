"""Notice a corpus that is replaced while a network is trained on it."""

from collections.abc import Iterator

from mmengine.hooks import Hook

from mmsign.errors import TrainingError
from mmsign.files import file_stamp
from mmsign.registry import HOOKS

from .runs import settings_of


@HOOKS.register_module()
class CorpusChangeHook(Hook):
    """Stop if a keypoint file, an archive or cached features were replaced.

    Each is looked at before every epoch of training and every validation. A run on
    two versions of its corpus has no meaning, and the epoch in which a file changed
    may hold both. Single frames are not looked at here: one that is missing ends
    the run by its name when it is read.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Note the files as they are."""
        stamps = {path: _stamp(path) for path in set(_files(runner))}
        # One that is named but not there is not read either.
        self._stamps = {path: now for path, now in stamps.items() if now is not None}

    def before_train_epoch(self, runner) -> None:
        """Raise TrainingError naming the first file that is another."""
        for path, before in getattr(self, '_stamps', {}).items():
            now = _stamp(path)
            if now != before:
                what = 'is gone' if now is None else 'was replaced or changed'
                raise TrainingError(
                    f'{path} {what} while the network was being trained on it (found '
                    f'in epoch {runner.epoch + 1}). Put the file back, or start over; '
                    'to go on with the new one, from the last checkpoint in '
                    f'{runner.work_dir}, use --resume'
                )

    before_val_epoch = before_train_epoch


def _stamp(path: str) -> tuple | None:
    try:
        return file_stamp(path)
    except OSError:
        return None


def _files(runner) -> Iterator[str]:
    loaders = [runner.train_dataloader]
    if runner.val_loop is not None:
        loaders.append(runner.val_loop.dataloader)
    for loader in loaders:
        dataset = loader.dataset
        if hasattr(dataset, 'corpus_files'):
            yield from dataset.corpus_files()
        yield from settings_of(dataset, 'feature_file')
