"""Which clips there are to estimate keypoints of: videos, folders, corpora."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from mmsign.datasets import SignDataset
from mmsign.datasets.clip_names import clip_name
from mmsign.datasets.io.archives import open_archive
from mmsign.datasets.io.images import IMAGE_SUFFIXES, is_image
from mmsign.datasets.io.listing import files_under, left_out
from mmsign.datasets.io.videos import VIDEO_SUFFIXES, is_video
from mmsign.datasets.transforms.load import open_source
from mmsign.errors import PoseError
from mmsign.registry import DATASETS
from mmsign.vocab import composed


@dataclass(frozen=True)
class Clip:
    """A clip of a corpus or collection.

    Attributes:
        clip_id: Its name in the keypoint file.
        frames: Where its frames are, see ``mmsign.datasets.open_frames``.
    """

    clip_id: str
    frames: str

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames in order, (H, W, 3) uint8 BGR, few in memory at a time.

        Raises:
            FrameReadError: If there are none, or one cannot be read.
        """
        source = open_source(dict(clip_id=self.clip_id, frames=self.frames))
        return source.stream(range(len(source)))


def find_clips(
    path: str | Path, dataset: str | None = None, frames: str | None = None
) -> list[Clip]:
    """The clips under a path, in a fixed order.

    Args:
        path: A video file; the folder of a corpus that one of the registered
            datasets reads; a folder with videos and folders of images at any
            depth, each of which is a clip, called by its path without suffix; or a
            zip archive with folders of images.
        dataset: Type of the corpus' dataset; None tries all.
        frames: Where the corpus' frames are, as of ``SignDataset``.

    Raises:
        FileNotFoundError: If there is no such path.
        PoseError: If there are no clips, or two of one name.
        DataError: If a corpus' tables are broken.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    found = _corpus_clips(path, dataset, frames)
    if found is None:
        if dataset is not None or frames is not None:
            raise PoseError(f'{path}: no annotations of {dataset or "any corpus"}')
        found = _loose_clips(path)
    clips: dict[str, Clip] = {}
    for clip in found:
        other = clips.setdefault(composed(clip.clip_id), clip)
        if other != clip:
            raise PoseError(
                f'{other.frames} and {clip.frames} are both {clip.clip_id}: rename one'
            )
    if not clips:
        raise PoseError(f'{path}: neither a corpus nor videos nor folders of images')
    return list(clips.values())


def _corpus_clips(
    root: Path, dataset: str | None, frames: str | None
) -> list[Clip] | None:
    """All splits' clips; None if no dataset finds its annotations."""
    every = DATASETS.module_dict
    names = every if dataset is None else {dataset} & every.keys()
    kinds = [every[name] for name in names if issubclass(every[name], SignDataset)]
    if not kinds:
        raise PoseError(f'{dataset} is no dataset of mmsign')
    clips = None
    for kind, split in [(corpus, name) for corpus in kinds for name in corpus.SPLITS]:
        try:
            annotated = kind.load_annotations(str(root), split)
        except FileNotFoundError:
            continue
        clips = clips or []
        if annotated:  # a dataset refuses a split without clips
            corpus = kind(data_root=str(root), split=split, frames=frames)
            records = map(corpus.get_data_info, range(len(corpus)))
            clips += [Clip(r['clip_id'], r['frames']) for r in records]
    return clips


def _loose_clips(path: Path) -> Iterator[Clip]:
    if path.is_file():
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield Clip(clip_name(path), str(path))
        elif path.suffix.lower() == '.zip':
            for folder in open_archive(str(path)).folders():
                frames = f'{path}@{folder}'
                yield Clip(clip_name(frames), frames)
        return
    files = list(files_under(path))
    for folder, inside in groupby(files, lambda file: file.parent):
        inside = list(inside)
        if any(is_image(file.name) for file in inside):
            yield Clip(clip_name(folder, None if folder == path else path), str(folder))
        for file in inside:
            if is_video(file.name):
                yield Clip(clip_name(file, path), str(file))
    if notice := left_out(files, (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES)):
        print_log(notice)


def take_shard(clips: Sequence[Clip], shard: str) -> list[Clip]:
    """Every n-th clip: shard ``i/n`` with i from 1 to n.

    Raises:
        PoseError: If the shard is written otherwise.
    """
    index, _, count = shard.partition('/')
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise PoseError(f'shard {shard!r}: expected I/N with I from 1 to N, as 2/8')
    return list(clips[int(index) - 1 :: int(count)])
