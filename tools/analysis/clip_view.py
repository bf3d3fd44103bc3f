"""What the network sees: ``python tools/analysis/clip_view.py CONFIG OUT.png``.

Of one clip of the test split, evenly spaced frames after crop and resize: above with
the skeleton, below with the sum of the heatmaps, as the data preprocessor draws them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmsign.engine.launch import (
    OverrideAction,
    apply_overrides,
    check_data_roots,
    load_config,
    reported_errors,
)
from mmsign.errors import ConfigError


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config with frames and keypoints')
    parser.add_argument('out', metavar='OUT.png', help='picture to write')
    parser.add_argument('--clip', type=int, default=0, help='number in the test split')
    parser.add_argument('--columns', type=int, default=8, help='frames shown')
    parser.add_argument('--side', type=int, default=112, help='of a frame in pixels')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OverrideAction, metavar='KEY=VALUE'
    )
    args = parser.parse_args(arguments)
    cfg = load_config(args.config)
    apply_overrides(cfg, args.cfg_options)
    check_data_roots(cfg, ('test_dataloader',))
    # Imported late: --help and refusals answer at once.
    import cv2
    from mmengine.dataset import pseudo_collate

    from mmsign.registry import DATASETS, MODELS
    from mmsign.visualization import clip_sheet

    # In the picture's resolution instead of the network's.
    settings = dict(cfg.model.data_preprocessor)
    settings |= dict(video_size=args.side, heatmap_size=args.side)
    for step in cfg.test_dataloader.dataset.pipeline:
        if step['type'] == 'ClipResize':
            step['size'] = args.side
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    if not 0 <= args.clip < len(dataset):
        raise ConfigError(
            f'--clip {args.clip}: the split has clips 0..{len(dataset) - 1}'
        )
    clip = dataset[args.clip]
    inputs, sample = clip['inputs'], clip['data_samples']
    if set(inputs) != {'video', 'keypoints'}:
        raise ConfigError(f'{args.config} loads {sorted(inputs)}; both are drawn here')
    preprocess = MODELS.build(settings | dict(type='SignDataPreprocessor'))
    ready = preprocess(pseudo_collate([clip]))['inputs']
    sheet = clip_sheet(
        inputs['video'].permute(1, 2, 3, 0).contiguous().numpy(),
        ready['heatmaps'][0].float().numpy(),
        inputs['keypoints'].numpy(),
        sample.crop_box,
        columns=args.columns,
        side=args.side,
    )
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(args.out, sheet)
    print(f'{args.out}: {sample.clip_id}, {" ".join(sample.glosses)}')


if __name__ == '__main__':
    with reported_errors():
        main()
