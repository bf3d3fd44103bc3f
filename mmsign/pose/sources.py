"""Which clips there are to estimate keypoints of: videos, folders, corpora."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmsign.datasets import SignDataset, open_frames
from mmsign.datasets.clip_names import clip_name, same_name
from mmsign.datasets.io.archives import open_archive
from mmsign.datasets.io.frame_sources import VIDEO_SUFFIXES, VideoFrames
from mmsign.datasets.io.images import IMAGE_SUFFIXES, is_image
from mmsign.datasets.io.videos import decode_video
from mmsign.errors import FrameReadError, PoseError
from mmsign.registry import DATASETS

# Images read at once from a folder or archive.
_CHUNK = 64


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
        source = open_frames(self.frames)
        if not len(source):
            raise FrameReadError(f'{self.frames}: no frame can be decoded')
        if isinstance(source, VideoFrames):
            yield from decode_video(self.frames, range(len(source)))
            return
        for start in range(0, len(source), _CHUNK):
            yield from source.read(range(start, min(start + _CHUNK, len(source))))


def find_clips(
    path: str | os.PathLike, dataset: str | None = None, frames: str | None = None
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
            raise PoseError(
                f'{path}: no annotations of {dataset or "any known corpus"} there'
            )
        found = _loose_clips(path)
    clips: dict[str, Clip] = {}
    for clip in found:
        other = clips.setdefault(same_name(clip.clip_id), clip)
        if other != clip:
            raise PoseError(
                f'two clips are called {clip.clip_id}: {other.frames} and '
                f'{clip.frames}; rename one, or say which corpus this is (dataset)'
            )
    if not clips:
        raise PoseError(
            f'{path}: neither a corpus nor videos ({", ".join(VIDEO_SUFFIXES)}) nor '
            f'folders of images ({", ".join(IMAGE_SUFFIXES)}), loose or in a zip'
        )
    return list(clips.values())


def _corpus_clips(
    root: Path, dataset: str | None, frames: str | None
) -> list[Clip] | None:
    """All splits' clips; None if no dataset finds its annotations."""
    if dataset is None:
        kinds = [
            kind
            for kind in DATASETS.module_dict.values()
            if issubclass(kind, SignDataset) and kind is not SignDataset
        ]
    else:
        kind = DATASETS.module_dict.get(dataset)
        if kind is None or not issubclass(kind, SignDataset):
            raise PoseError(f'{dataset} is no dataset of mmsign')
        kinds = [kind]
    clips = None
    for kind in kinds:
        for split in kind.SPLITS:
            try:
                annotated = kind.read_annotations(str(root), split)
            except FileNotFoundError:
                continue
            clips = clips or []
            if not annotated:  # a dataset refuses a split without clips
                continue
            corpus = kind(data_root=str(root), split=split, frames=frames)
            records = [corpus.get_data_info(i) for i in range(len(corpus))]
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
    for folder, subfolders, names in os.walk(path):
        # What is hidden, or macOS' own in an unpacked archive, is nobody's clip.
        subfolders[:] = sorted(
            name for name in subfolders if not name.startswith(('.', '__MACOSX'))
        )
        folder = Path(folder)
        if any(map(is_image, names)):
            root = None if folder == path else path
            yield Clip(clip_name(folder, root), str(folder))
        for name in sorted(names):
            if name.lower().endswith(VIDEO_SUFFIXES) and not name.startswith('.'):
                video = folder / name
                yield Clip(clip_name(video, path), str(video))


def take_shard(clips: Sequence[Clip], shard: str) -> list[Clip]:
    """Every n-th clip: shard ``i/n`` with i from 1 to n.

    Raises:
        PoseError: If the shard is written otherwise.
    """
    index, _, count = shard.partition('/')
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise PoseError(f'shard {shard!r}: expected I/N with I from 1 to N, as 2/8')
    return list(clips[int(index) - 1 :: int(count)])
