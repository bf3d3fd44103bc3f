"""Train the toy-sized network on a few real clips until all are recognized.

A check of the whole path on real input: DATA holds one video and one keypoint
file of MMPose's inferencer per clip (NAME.mp4, NAME.mmpose.json); each clip is
one sentence of one gloss, its NAME. The clips go through the real augmentations
of training. For each clip a sheet of frames with skeleton and heatmaps after a
random crop is written to OUT. Exits with 1 if a clip is not recognized.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmsign.datasets import SignDataset, open_frames
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.engine.launch import reported_errors
from mmsign.errors import DataError
from mmsign.files import check_outputs
from mmsign.interop.mmpose_json import read_mmpose_json
from mmsign.registry import DATASETS, MODELS
from mmsign.visualization.clip_view import view_clip, view_sheet, write_image

CONFIG = Path(__file__).parents[2] / 'configs' / 'twostream_slr_toy.py'


@DATASETS.register_module()
class RealClips(SignDataset):
    """The clips of one folder, each named by its single gloss."""

    METAINFO = dict(dataset='real_clips', gloss_cleanup='none', level='word')
    SPLITS = ('all',)
    FRAMES = '.'
    CLIP_FRAMES = '{clip_id}.mp4'

    @classmethod
    def read_annotations(cls, data_root: str, split: str) -> list[dict]:
        return [
            dict(
                clip_id=video.stem,
                glosses=[video.stem],
                text=None,
                signer=video.stem,
                num_frames=None,
                where=str(video),
            )
            for video in sorted(Path(data_root).glob('*.mp4'))
        ]


def collect_keypoints(data: Path, out: Path) -> Path:
    """Gather the JSON files into one keypoint file."""
    poses = {}
    for video in sorted(data.glob('*.mp4')):
        source = data / f'{video.stem}.mmpose.json'
        if not source.is_file():
            raise DataError(f'{video.name} has no keypoints: {source} is missing')
        poses[video.stem] = read_mmpose_json(source, len(open_frames(str(video))))
    if not poses:
        raise DataError(f'{data} holds no .mp4 file')
    path = out / 'keypoints.safetensors'
    write_keypoints(path, poses)
    return path


def resized(pipeline: list[dict], side: int) -> list[dict]:
    """The pipeline with frames of ``side`` pixels."""
    return [
        step | dict(size=side) if step['type'] == 'ClipResize' else dict(step)
        for step in map(dict, pipeline)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path, metavar='DATA')
    parser.add_argument('out', type=Path, metavar='OUT')
    parser.add_argument('--config', type=Path, default=CONFIG)
    parser.add_argument('--max-steps', type=int, default=300)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--sigma',
        type=float,
        default=16.0,
        help='of the heatmaps, in pixels of the clips, which are larger than the '
        "toy corpus's frames",
    )
    parser.add_argument(
        '--video-size',
        type=int,
        default=64,
        help='side of the frames in pixels: real hands are smaller than the toy '
        "corpus's; the heatmaps have half of it",
    )
    parser.add_argument(
        '--sheet-size', type=int, default=224, help='resolution of the sheets'
    )
    args = parser.parse_args()
    check_outputs([args.out], [args.data], folders=True)
    args.out.mkdir(parents=True, exist_ok=True)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)

    keypoint_file = collect_keypoints(args.data, args.out)

    def dataset(pipeline: list[dict]) -> SignDataset:
        return DATASETS.build(
            dict(
                type='RealClips',
                data_root=str(args.data),
                split='all',
                keypoint_file=str(keypoint_file.resolve()),
                pipeline=pipeline,
            )
        )

    training = dataset(resized(cfg.train_pipeline, args.video_size))
    testing = dataset(resized(cfg.test_pipeline, args.video_size))
    clips = range(len(training))
    names = [training.get_data_info(index)['glosses'][0] for index in clips]
    model_config = cfg.model
    model_config.vocab = dict(glosses=names)
    model_config.data_preprocessor.update(
        sigma=args.sigma, video_size=args.video_size, heatmap_size=args.video_size // 2
    )
    model = MODELS.build(model_config)

    # The sheets show what training sees: random crop and jitter, but larger.
    preprocessor = MODELS.build(
        dict(model_config.data_preprocessor)
        | dict(
            type='SignDataPreprocessor',
            video_size=args.sheet_size,
            heatmap_size=args.sheet_size // 2,
        )
    )
    for clip in dataset(resized(cfg.train_pipeline, args.sheet_size)):
        sample = clip['data_samples']
        view = view_clip(clip['inputs'], sample, preprocessor)
        write_image(args.out / f'{sample.clip_id}.png', view_sheet(view, ()))
        print(f'{sample.clip_id}: {sample.num_frames} frames, {sample.clip_id}.png')

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    recognized_in_a_row = 0
    for step in range(1, args.max_steps + 1):
        model.train()
        data = model.data_preprocessor(pseudo_collate([training[i] for i in clips]))
        losses = model(**data, mode='loss')
        total = sum(losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        if step % 5:
            continue
        model.eval()
        with torch.inference_mode():
            data = model.data_preprocessor(pseudo_collate([testing[i] for i in clips]))
            samples = model(**data, mode='predict')
        found = {
            sample.clip_id: {
                k: ' '.join(p.glosses) for k, p in sample.predictions.items()
            }
            for sample in samples
        }
        right = all(
            answer == clip for clip, heads in found.items() for answer in heads.values()
        )
        recognized_in_a_row = recognized_in_a_row + 1 if right else 0
        print(f'step {step}: loss {float(total.detach()):.2f}  {found}', flush=True)
        if recognized_in_a_row == 3:
            print(f'every clip is recognized by every output after {step} steps')
            return
    sys.exit(f'not every clip is recognized after {args.max_steps} steps')


if __name__ == '__main__':
    with reported_errors():
        main()
