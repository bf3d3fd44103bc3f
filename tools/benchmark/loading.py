"""Loading clips: the training pipeline per source, against a plain loader.

Renders smooth random frames of 210×260 into a folder, a zip, a video file and a pack
(tools/data/pack.py), and loads them with the transforms of training (keypoints,
decode, crop, resize to 224), every frame once. The plain loader does the same work: it
decodes every frame with Pillow, from the zip through ``zipfile``, and resizes it. Then
batches of clips that need no decoding, which tells what handing them on costs.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from _report import seconds, show
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from mmsign.datasets.io.frame_sources import prepare_frames
from mmsign.datasets.io.images import png_decoder
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.datasets.io.packs import PackWriter, pack_clip
from mmsign.datasets.transforms.pack import clip_collate
from mmsign.engine.launch import reported_errors

SIZE = (210, 260)


def render(root: Path, clips: int, frames: int) -> list[str]:
    """Write the clips in all four ways; return their names."""
    rng = np.random.default_rng(0)
    poses = {}
    names = [f'clip{index:03d}' for index in range(clips)]
    pack = PackWriter(root / 'pack.zip', {})
    with zipfile.ZipFile(root / 'frames.zip', 'w') as archive:
        for name in names:
            coarse = rng.integers(0, 256, (frames, 13, 11, 3), dtype=np.uint8)
            folder = root / 'frames' / name
            folder.mkdir(parents=True)
            codec = cv2.VideoWriter_fourcc(*'mp4v')
            video = cv2.VideoWriter(str(root / f'{name}.mp4'), codec, 25, SIZE)
            for index, small in enumerate(coarse):
                frame = cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
                path = folder / f'images{index + 1:04d}.png'
                cv2.imwrite(str(path), frame)
                archive.write(path, f'{name}/{path.name}')
                video.write(frame)
            video.release()
            pack.add(name, pack_clip(str(folder), short_side=256, quality=95))
            poses[name] = rng.uniform(0, 210, (frames, 133, 3))
    pack.finish()
    write_keypoints(root / 'keypoints.safetensors', poses)
    return names


class PlainClips(Dataset):
    """Pillow and zipfile: decode and resize every frame.

    Each worker opens the archive once, as plain loaders do too.
    """

    def __init__(self, root: Path, names: list[str]) -> None:
        self.path, self.names = root / 'frames.zip', names
        self.archive: zipfile.ZipFile | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> torch.Tensor:
        if self.archive is None:
            self.archive = zipfile.ZipFile(self.path)
        folder = f'{self.names[index]}/'
        members = sorted(m for m in self.archive.namelist() if m.startswith(folder))
        images = [Image.open(io.BytesIO(self.archive.read(m))) for m in members]
        frames = [np.asarray(x.convert('RGB').resize((224, 224), 2)) for x in images]
        return torch.from_numpy(np.stack(frames))


class OurClips(Dataset):
    """The transforms of training, all frames once: the plain loader's work.

    Args:
        spec: Where a clip's frames are, with ``{}`` for its name.
    """

    def __init__(self, root: Path, names: list[str], spec: str) -> None:
        self.names, self.spec = names, spec
        self.keypoint_file = str(root / 'keypoints.safetensors')
        self.pipeline = Compose(
            [
                dict(type='LoadClip'),
                _take_all,
                dict(type='DecodeClip'),
                dict(type='ClipRandomCrop'),
                dict(type='ClipResize', size=224),
                dict(type='PackClip'),
            ]
        )
        prepare_frames(spec)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> torch.Tensor:
        name = self.names[index]
        record = dict(clip_id=name, signer='', glosses=[], text=None)
        record |= dict(frames=self.spec.format(name), keypoint_file=self.keypoint_file)
        return self.pipeline(record)['inputs']['video']


def _take_all(results: dict) -> dict:
    indices = np.arange(results['num_frames'])
    return results | dict(frame_indices=indices)


def clips_per_second(dataset: Dataset, workers: int, repeats: int) -> float:
    """Median over epochs; the first, in which the workers start, is not counted."""
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_one_thread,
    )
    return len(dataset) / seconds(lambda: deque(loader, maxlen=0), repeats)


class ReadyClips(Dataset):
    """Clips with keypoints that are made at once, enough for some batches.

    Args:
        frames: Of a clip.
        side: Of a frame, in pixels.
        count: Clips.
    """

    def __init__(self, frames: int, side: int, count: int) -> None:
        self.frames, self.side, self.count = frames, side, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict:
        frames = torch.zeros(self.frames, self.side, self.side, 3, dtype=torch.uint8)
        points = torch.zeros(self.frames, 79, 3)
        inputs = dict(video=frames.permute(3, 0, 1, 2), keypoints=points)
        return dict(inputs=inputs, data_samples=index)


# Their batches: of the toy corpus, and of Phoenix on a GPU.
SMALL, LARGE = (8, ReadyClips(32, 32, 1024)), (4, ReadyClips(128, 224, 64))


def batch_milliseconds(
    size: int, clips: Dataset, collate: Callable, workers: int, repeats: int
) -> float:
    """Of getting a batch from the workers, median over epochs."""
    loader = DataLoader(
        clips,
        batch_size=size,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_one_thread,
        collate_fn=collate,
    )
    return 1e3 * seconds(lambda: deque(loader, maxlen=0), repeats) / len(loader)


def _one_thread(worker_id: int = 0) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clips', type=int, default=16)
    parser.add_argument('--frames', type=int, default=48)
    parser.add_argument('--workers', type=int, default=2, help='0: in this process')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    init_default_scope('mmsign')
    import mmsign  # noqa: F401  registers the transforms

    _one_thread()
    rows: dict[str, float | str] = {'PNG images decoded by': png_decoder()}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = render(root, args.clips, args.frames)
        specs = {
            'PNG folder': f'{root}/frames/{{}}',
            'zip of PNG': f'{root}/frames.zip@{{}}',
            'mp4': f'{root}/{{}}.mp4',
            'pack': f'{root}/pack.zip@{{}}',
        }
        datasets = {label: OurClips(root, names, spec) for label, spec in specs.items()}
        datasets['plain Pillow and zipfile'] = PlainClips(root, names)
        rates = {
            label: clips_per_second(dataset, args.workers, args.repeats)
            for label, dataset in datasets.items()
        }
    for label, rate in rates.items():
        frames = rate * args.frames
        rows[f'{label}, clips/s'] = rate
        rows[f'{label}, frames/s'] = frames
        rows[f'{label}, frames/s per worker'] = frames / max(1, args.workers)
    for label in ('zip of PNG', 'pack'):
        rows[f'ratio {label} / plain'] = (
            rates[label] / rates['plain Pillow and zipfile']
        )
    for size, clips in (SMALL, LARGE):
        what = f'{size} clips, {clips.frames} frames of {clips.side}²'
        for collate in (pseudo_collate, clip_collate):
            rows[f'handing on {what}, {collate.__name__}, ms'] = batch_milliseconds(
                size, clips, collate, args.workers, args.repeats
            )
    title = f'loading clips of {args.frames} frames of 210×260, {args.workers} workers'
    show(title, rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
