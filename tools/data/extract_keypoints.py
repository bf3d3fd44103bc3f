"""Estimate the keypoints of videos or of a corpus, and write a keypoint file.

Needs MMPose: see tools/install_pose.sh and docs/keypoints.md. The same command again
goes on after an interruption, tries clips again that failed, and adds new ones.
Exits with 1 if a clip could not be done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmsign.errors import ConfigError


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source',
        metavar='VIDEOS_OR_CORPUS',
        help='a video; a folder of videos and of folders of images; a zip archive of '
        'folders of images; or the folder of a corpus (Phoenix, CSL-Daily, one with a '
        'manifest)',
    )
    parser.add_argument('out', type=Path, metavar='OUT', help='NAME.safetensors')
    network = parser.add_mutually_exclusive_group()
    network.add_argument(
        '--model',
        choices=('hrnet', 'fast'),
        default='hrnet',
        help="HRNet-W48 as in the paper, or RTMW-l (default: 'hrnet')",
    )
    network.add_argument(
        '--config', help='another config of MMPose, by file or name, instead'
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        '--checkpoint',
        help='file or URL (default: the weights MMPose lists for the config, '
        'downloaded once)',
    )
    weights.add_argument(
        '--random-weights', action='store_true', help='for a trial without weights'
    )
    parser.add_argument(
        '--box',
        default='full',
        metavar='full|detector|X,Y,W,H',
        help='where the signer is: the whole frame (default), what a detector of '
        'persons finds, or a box in pixels',
    )
    parser.add_argument(
        '--detector-config', help='of MMDetection, by file or name (default: RTMDet-m)'
    )
    parser.add_argument('--detector-checkpoint', help='as --checkpoint')
    parser.add_argument(
        '--no-flip',
        action='store_true',
        help='do not average with the mirrored frame: half the time, less exact',
    )
    parser.add_argument('--batch-size', type=int, default=16, help='frames at once')
    parser.add_argument(
        '--device', help='such as cuda:1 (default: all GPUs in turn, or cpu)'
    )
    parser.add_argument(
        '--workers', type=int, help='processes (default: one per GPU, or 1)'
    )
    parser.add_argument(
        '--shard',
        metavar='I/N',
        help='only every N-th clip, from the I-th on, into NAME.I-of-N.safetensors: '
        'to share the work among machines',
    )
    parser.add_argument(
        '--dataset', help='type of the corpus, such as CSLDailyDataset, if in doubt'
    )
    parser.add_argument('--frames', help="where the corpus' frames are, as in a config")
    return parser.parse_args(arguments)


def choose_devices(device: str | None, workers: int | None) -> list[str]:
    """A device for each process."""
    import torch

    from mmsign.compat import choose_device

    if device is not None:
        devices = [str(choose_device(device))]
    else:
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        devices = [f'cuda:{index}' for index in range(count)] or ['cpu']
    workers = len(devices) if workers is None else workers
    return [devices[index % len(devices)] for index in range(workers)]


def run(args: argparse.Namespace) -> int:
    # Imported late: --help and refusals answer at once.
    from mmsign.engine.launch import interruptible, say
    from mmsign.files import check_outputs
    from mmsign.pose import DETECTOR, RANDOM_WEIGHTS
    from mmsign.pose.extraction import PoseRecipe, extract
    from mmsign.pose.openmmlab import import_package
    from mmsign.pose.sources import find_clips, take_shard

    for name in ('batch_size', 'workers'):
        value = getattr(args, name)
        if value is not None and value < 1:
            option = name.replace('_', '-')
            raise ConfigError(f'--{option} must be 1 or more, not {value}')
    check_outputs([args.out], [args.source], ['.safetensors'])
    clips = find_clips(args.source, args.dataset, args.frames)
    out = args.out
    if args.shard is not None:
        clips = take_shard(clips, args.shard)
        out = out.with_suffix(f'.{args.shard.replace("/", "-of-")}{out.suffix}')
    recipe = PoseRecipe(
        config=args.config or args.model,
        checkpoint=RANDOM_WEIGHTS if args.random_weights else args.checkpoint,
        box=args.box,
        detector_config=args.detector_config or DETECTOR,
        detector_checkpoint=args.detector_checkpoint,
        batch_size=args.batch_size,
        flip=False if args.no_flip else None,
    )
    import_package('mmpose')  # a missing one is reported before anything is written
    devices = choose_devices(args.device, args.workers)
    print(f'{len(clips)} clips → {out}, on {", ".join(devices)}', flush=True)
    with interruptible(lambda: 'the same command goes on'):
        failures = extract(clips, out, recipe, devices, say)
    print(f'{out}: {len(clips) - len(failures)} of {len(clips)} clips')
    if failures:
        print(f'{len(failures)} clips could not be done:', file=sys.stderr)
        for clip_id, reason in failures.items():
            print(f'  {clip_id}: {reason}', file=sys.stderr)
    return 1 if failures else 0


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    from mmsign.engine.launch import reported_errors

    with reported_errors():
        return run(args)


if __name__ == '__main__':
    sys.exit(main())
