"""Order of the clips in training."""

import math
import os
from collections.abc import Iterator

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmsign.errors import ConfigError
from mmsign.registry import DATA_SAMPLERS

from .io.frame_sources import open_frames
from .io.keypoint_file import KeypointFile
from .transforms.load import at_corpus_rate, open_source, read_points


def known_length(info: dict) -> int | None:
    """Frames that are seen of a clip of as many as the annotation says, or else the
    keypoint file; those of a video at its own rate.

    Args:
        info: A record of ``SignDataset.load_data_list``.

    Returns:
        None if neither says.
    """
    path, clip_id = info.get('keypoint_file'), info['clip_id']
    count = info.get('num_frames')
    # Training on video alone needs no keypoint file, even if one is named.
    if not count and path is not None and os.path.isfile(path):
        file = KeypointFile.open(path)
        count = file.length(clip_id) if clip_id in file else None
    if not count:
        return None
    chosen = at_corpus_rate(info, count)
    count = count if chosen is None else len(chosen)
    return -(-count // info.get('step', 1))


@DATA_SAMPLERS.register_module()
class LengthBucketSampler(Sampler):
    """Shuffle so that the clips of a batch have similar lengths.

    A batch is as long as its longest clip; batches of clips drawn at random waste
    the rest. Each epoch the clips are shuffled, cut into pools of ``pool``
    batches, sorted by length within each pool, and the batches of all processes
    are shuffled.

    Args:
        dataset: A ``SignDataset``.
        batch_size: Clips per batch and process; must equal the data loader's.
        pool: Batches per pool: 1 is plain shuffling, more saves more padding.
        seed: Of the shuffling; the same in all processes.
        at_least: Clips of an epoch, of all processes. A corpus of fewer is gone
            through several times, the last time in part, so that an epoch is as many
            updates as of one that has them.
    """

    def __init__(
        self,
        dataset,
        batch_size: int,
        pool: int = 20,
        seed: int | None = None,
        at_least: int = 1,
    ) -> None:
        if min(batch_size, pool, at_least) < 1:
            raise ConfigError(
                f'batch_size {batch_size}, pool {pool}, at_least {at_least}: not all '
                'positive'
            )
        self.rank, self.processes = get_dist_info()
        self.batch_size, self.pool, self.epoch = batch_size, pool, 0
        self.seed = sync_random_seed() if seed is None else seed
        infos = map(dataset.get_data_info, range(len(dataset)))
        self.lengths = list(map(self.measure, infos))
        # As many clips for every process, the last batches filled up.
        step = batch_size * self.processes
        self.once, least = (
            math.ceil(count / step) * step for count in (len(self.lengths), at_least)
        )
        self.total = max(self.once, least)

    def measure(self, info: dict) -> int:
        """``known_length`` of a record, or that of its frames; none is decoded."""
        if length := known_length(info):
            return length
        if info['frames']:
            return len(open_frames(info['frames']))
        # They say what is wrong.
        if info.get('keypoint_file') is None:
            return len(open_source(info))
        return len(read_points(info, None))

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        for start in range(0, self.total, self.once):
            yield from self._some(min(self.once, self.total - start), generator)

    def _some(self, count: int, generator: torch.Generator) -> Iterator[int]:
        """Of so many clips, at random, those of this process."""
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        order = (order * math.ceil(count / len(order)))[:count]
        size = self.pool * self.batch_size * self.processes
        batches = []
        for start in range(0, count, size):
            chunk = sorted(order[start : start + size], key=self.lengths.__getitem__)
            starts = range(0, len(chunk), self.batch_size)
            batches += [chunk[i : i + self.batch_size] for i in starts]
        # Processes take neighbouring batches, so that none waits for a longer one.
        groups = len(batches) // self.processes
        for group in torch.randperm(groups, generator=generator).tolist():
            yield from batches[group * self.processes + self.rank]

    def __len__(self) -> int:
        return self.total // self.processes

    def set_epoch(self, epoch: int) -> None:
        """Use another order in each epoch; called by the runner's hook."""
        self.epoch = epoch


@DATA_SAMPLERS.register_module()
class SentenceBucketSampler(LengthBucketSampler):
    """The same by the length of the sentences, which no frame must be opened for.

    Args:
        dataset: A ``SignDataset`` of a corpus with sentences.
        batch_size, pool, seed, at_least: As in ``LengthBucketSampler``.
    """

    def measure(self, info: dict) -> int:
        """Characters of the sentence."""
        return len(info['text'] or '')
