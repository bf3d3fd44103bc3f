"""Say which clips are longer than the network takes."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from mmsign.registry import HOOKS

from .runs import listed, settings_of


@HOOKS.register_module()
class LongClipsHook(Hook):
    """Name the clips of which ``SampleClip`` leaves frames out.

    A clip of more than ``max_length`` frames is trained on by as many, drawn from all
    of it, and validated and tested by those in its middle: glosses before and after
    are lost. That is said once at the end of the first epoch of training, of the
    first validation and of the test, with their number over all processes.

    Args:
        names_shown: How many clips are named.
    """

    priority = 'NORMAL'

    def __init__(self, names_shown: int = 5) -> None:
        self.names_shown = names_shown
        # Of the modes of which nothing was said yet.
        self._seen: dict[str, dict[str, int]] = {'train': {}, 'val': {}, 'test': {}}

    def _after_iter(
        self, runner, batch_idx: int, data_batch=None, outputs=None, mode: str = 'train'
    ) -> None:
        if mode in self._seen and isinstance(data_batch, dict):
            for sample in data_batch.get('data_samples') or ():
                if 'num_frames' in sample:
                    self._seen[mode][sample.clip_id] = sample.num_frames

    def _after_epoch(self, runner, mode: str = 'train') -> None:
        """Log what was seen of a split."""
        if mode not in self._seen:
            return
        dataset = getattr(runner, f'{mode}_dataloader').dataset
        limits = settings_of(dataset, 'max_length')
        # Frames are counted before every so many-th of them is taken.
        limits = [limit * getattr(dataset, 'step', 1) for limit in limits]
        parts = all_gather_object(self._seen.pop(mode))
        seen = {clip: n for part in parts for clip, n in part.items()}
        long = {clip: n for clip, n in sorted(seen.items()) if limits and n > limits[0]}
        if not long:
            return
        names = [f'{clip} ({n} frames)' for clip, n in long.items()]
        how = 'drawn from all of it' if mode == 'train' else 'those in the middle'
        runner.logger.warning(
            f'{len(long)} of {len(seen)} clips are longer than the {limits[0]} frames '
            f'that are taken, {how}: {listed(names, self.names_shown)}; '
            'SampleClip(max_length=…) takes more, tools/infer.py all'
        )
