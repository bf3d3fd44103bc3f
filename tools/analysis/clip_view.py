"""What the network sees: ``python tools/analysis/clip_view.py CONFIG OUT.png``.

Of one clip of the test split, evenly spaced frames after crop and resize: above with
the skeleton, below with the sum of the heatmaps, as the data preprocessor draws them.
"""

from __future__ import annotations

import argparse

from mmsign.engine.launch import (
    OverrideAction,
    apply_overrides,
    check_data_roots,
    load_config,
    reported_errors,
)
from mmsign.errors import ConfigError
from mmsign.files import check_outputs


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
    root = cfg.test_dataloader.dataset.data_root
    check_outputs([args.out], [args.config, root], ['.png'])
    # Imported late: --help and refusals answer at once.
    from mmsign.registry import DATASETS, MODELS
    from mmsign.visualization.clip_view import view_clip, view_sheet, write_image

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
    view = view_clip(inputs, sample, preprocess)
    write_image(args.out, view_sheet(view, (), args.columns, args.side))
    print(f'{args.out}: {sample.clip_id}, {" ".join(sample.glosses)}')


if __name__ == '__main__':
    with reported_errors():
        main()
