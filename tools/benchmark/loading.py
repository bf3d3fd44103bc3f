"""Loading clips: the training pipeline per source, against a plain loader.

Renders smooth random frames of 210×260 into a folder, a zip and a video file, and
loads them with the transforms of training (keypoints, decode, crop, resize to 224),
every frame once. The plain loader does the same work: it decodes every frame with
Pillow, from the zip through ``zipfile``, and resizes it.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import torch
from _report import seconds, show
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from PIL import Image

from mmsign.datasets.keypoint_file import write_keypoints

SIZE = (210, 260)


def render(root: Path, clips: int, frames: int) -> list[str]:
    """Write the clips as PNG folders, one zip and mp4 files; return their names."""
    rng = np.random.default_rng(0)
    poses = {}
    names = [f'clip{index:03d}' for index in range(clips)]
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
            poses[name] = rng.uniform(0, 210, (frames, 133, 3))
    write_keypoints(root / 'keypoints.safetensors', poses)
    return names


def plain(root: Path, names: list[str]) -> None:
    """Pillow and zipfile: decode and resize every frame."""
    with zipfile.ZipFile(root / 'frames.zip') as archive:
        for name in names:
            members = sorted(m for m in archive.namelist() if m.startswith(name + '/'))
            images = [Image.open(io.BytesIO(archive.read(m))) for m in members]
            np.stack(
                [np.asarray(x.convert('RGB').resize((224, 224), 2)) for x in images]
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clips', type=int, default=6)
    parser.add_argument('--frames', type=int, default=48)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    init_default_scope('mmaction')
    import mmsign  # noqa: F401  registers the transforms

    # As in a worker process: one core decodes and resizes.
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    pipeline = Compose(
        [
            dict(type='LoadClip'),
            # All frames once, so that both loaders do the same work.
            _take_all,
            dict(type='DecodeClip'),
            dict(type='ClipRandomCrop'),
            dict(type='ClipResize', size=224),
            dict(type='PackClip'),
        ]
    )
    rows: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = render(root, args.clips, args.frames)
        specs = {
            'PNG folder': f'{root}/frames/{{}}',
            'zip of PNG': f'{root}/frames.zip@{{}}',
            'mp4': f'{root}/{{}}.mp4',
        }

        def load(spec: str) -> None:
            for name in names:
                pipeline(
                    dict(
                        clip_id=name,
                        signer='',
                        glosses=[],
                        text=None,
                        frames=spec.format(name),
                        keypoint_file=str(root / 'keypoints.safetensors'),
                    )
                )

        for label, spec in specs.items():
            taken = seconds(lambda spec=spec: load(spec), args.repeats)
            rows[f'{label}, clips/s'] = args.clips / taken
            rows[f'{label}, frames/s'] = args.clips * args.frames / taken
        taken = seconds(lambda: plain(root, names), args.repeats)
    rows['plain Pillow and zipfile, clips/s'] = args.clips / taken
    rows['ratio zip of PNG / plain'] = (
        rows['zip of PNG, clips/s'] / rows['plain Pillow and zipfile, clips/s']
    )
    show(f'loading clips of {args.frames} frames, one process', rows, args.json)


def _take_all(results: dict) -> dict:
    indices = np.arange(results['num_frames'])
    return results | dict(frame_indices=indices)


if __name__ == '__main__':
    main()
