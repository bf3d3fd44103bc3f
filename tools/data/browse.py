"""Show clips of a corpus as the network gets them: after the full pipeline.

For each clip a picture (or a video) of its frames with the skeleton, and with the
heatmaps as the network sees them, under its name, signer, glosses and sentence. With
--split train the random sampling, crop and colours of training are applied; --seed
draws others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmsign.errors import ConfigError
from mmsign.files import check_outputs

SPLITS = {'train': 'train', 'dev': 'val', 'test': 'test'}


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmsign.engine.launch import OverrideAction

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='of any experiment on the corpus')
    parser.add_argument('--split', choices=list(SPLITS), default='train')
    parser.add_argument(
        '--clips',
        nargs='+',
        metavar='CLIP',
        help='names of clips, or their numbers in the split (default: 0 1 2 3)',
    )
    parser.add_argument(
        '--out', type=Path, default=Path('browse'), metavar='DIR', help='to write to'
    )
    parser.add_argument(
        '--video', action='store_true', help='write a video of each clip, not a picture'
    )
    parser.add_argument('--fps', type=float, default=25.0, help='of the videos')
    parser.add_argument('--columns', type=int, default=8, help='frames in a picture')
    parser.add_argument('--side', type=int, default=224, help='of a frame in pixels')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--cfg-options', nargs='+', action=OverrideAction, metavar='KEY=VALUE'
    )
    return parser.parse_args(arguments)


def choose(dataset, wanted: list[str] | None) -> list[int]:
    """Indices of the clips that are named, or numbered."""
    if wanted is None:
        return list(range(min(4, len(dataset))))
    names = {dataset.get_data_info(i)['clip_id']: i for i in range(len(dataset))}
    chosen = []
    for name in wanted:
        if name in names:
            chosen.append(names[name])
        elif name.isdecimal() and int(name) < len(dataset):
            chosen.append(int(name))
        else:
            raise ConfigError(
                f'the {dataset.split} split has no clip {name!r}; it has '
                f'{len(dataset)} clips, such as {", ".join(list(names)[:3])}'
            )
    return chosen


def caption_of(sample, split: str) -> list[str]:
    width, height = sample.frame_size
    x0, y0, box_width, box_height = (round(value) for value in sample.crop_box)
    lines = [
        f'{sample.clip_id}   {split}, signer {sample.signer}; '
        f'{sample.num_frames} frames of {width}×{height}, {sample.length} sampled; '
        f'crop {box_width}×{box_height} at ({x0}, {y0})',
        ' '.join(sample.glosses) or '(no glosses)',
    ]
    return lines + ([sample.text] if sample.text else [])


def write(view, caption: list[str], path: Path, args: argparse.Namespace) -> Path:
    from mmsign.datasets.io.frame_times import checked_fps
    from mmsign.visualization import clip_view

    if args.video:
        path = path.with_name(f'{path.name}.mp4')
        images = clip_view.view_frames(view, caption, args.side)
        clip_view.write_video(path, images, checked_fps(args.fps, '--fps'))
    else:
        path = path.with_name(f'{path.name}.png')
        sheet = clip_view.view_sheet(view, caption, args.columns, args.side)
        clip_view.write_image(path, sheet)
    return path


def run(args: argparse.Namespace) -> None:
    import numpy as np
    from mmengine.registry import init_default_scope

    import mmsign  # noqa: F401  registers the parts
    from mmsign.engine.launch import apply_overrides, check_data_roots, load_config
    from mmsign.registry import DATASETS, MODELS
    from mmsign.visualization import view_clip

    for name in ('columns', 'side'):
        if getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be 1 or more, not {getattr(args, name)}')
    cfg = load_config(args.config)
    apply_overrides(cfg, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmsign'))
    loader = f'{SPLITS[args.split]}_dataloader'
    if cfg.get(loader) is None:
        raise ConfigError(f'{args.config} has no {loader}')
    check_data_roots(cfg, (loader,))
    check_outputs([args.out], [cfg[loader].dataset.data_root], folders=True)
    dataset = DATASETS.build(cfg[loader].dataset)
    settings = dict(cfg.get('model', {}).get('data_preprocessor') or {})
    preprocessor = MODELS.build({'type': 'SignDataPreprocessor', **settings})
    for index in choose(dataset, args.clips):
        frames = dataset.get_data_info(index).get('frames')
        np.random.seed(args.seed)
        clip = dataset[index]
        sample = clip['data_samples']
        view = view_clip(clip['inputs'], sample, preprocessor)
        name = sample.clip_id + ('.mp4' if args.video else '.png')
        check_outputs([args.out / name], [frames])
        path = write(
            view, caption_of(sample, args.split), args.out / sample.clip_id, args
        )
        print(f'{path}: {" ".join(sample.glosses)}', flush=True)


def main(arguments: list[str] | None = None) -> None:
    from mmsign.engine.launch import reported_errors

    args = parse_args(arguments)
    with reported_errors():
        run(args)


if __name__ == '__main__':
    main()
