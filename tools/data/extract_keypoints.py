"""Estimate the keypoints of videos or of a corpus, and write a keypoint file.

With --estimator rtmw all it needs is pip install "mmsign[keypoints]"; hrnet, the
paper's and the default, needs MMPose (tools/install_pose.sh): docs/keypoints.md. The
same command again goes on after an interruption, tries clips again that failed, and
adds new ones. Exits with 1 if a clip could not be done.
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
    parser.add_argument(
        '--estimator',
        # What the option was called when there was MMPose alone.
        *('--model', '--config'),
        default='hrnet',
        metavar='NAME',
        help='rtmw or rtmpose (pip install "mmsign[keypoints]"), an ONNX file like '
        'them, mediapipe, or with MMPose hrnet, fast or the file or name of a config '
        "(default: hrnet, the paper's)",
    )
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        '--checkpoint',
        metavar='FILE',
        help="of the estimator: .onnx, MediaPipe's .task, or what MMPose takes "
        "(default: what is published, downloaded once, or MediaPipe's own)",
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
        '--detector-config',
        help='of MMDetection, for an estimator of MMPose, by file or name (default: '
        'RTMDet-m)',
    )
    parser.add_argument(
        '--detector-checkpoint',
        help='as --checkpoint; for an ONNX estimator that of a YOLOX, .onnx',
    )
    parser.add_argument(
        '--no-flip',
        action='store_true',
        help="MMPose's estimators: do not average with the mirrored frame, half the "
        'time, less exact',
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


def choose_devices(device: str | None, workers: int | None, gpus: int) -> list[str]:
    """A device for each process, of ``gpus`` that there are."""
    from mmsign.compat import choose_device

    if device is not None:
        devices = [str(choose_device(device))]
    else:
        devices = [f'cuda:{index}' for index in range(gpus)] or ['cpu']
    workers = len(devices) if workers is None else workers
    return [devices[index % len(devices)] for index in range(workers)]


def run(args: argparse.Namespace) -> int:
    # Imported late: --help and refusals answer at once.
    from mmsign.engine.launch import interruptible, say
    from mmsign.files import check_outputs
    from mmsign.pose import RANDOM_WEIGHTS, PoseRecipe
    from mmsign.pose.extraction import extract
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
        estimator=args.estimator,
        checkpoint=RANDOM_WEIGHTS if args.random_weights else args.checkpoint,
        box=args.box,
        detector_config=args.detector_config,
        detector_checkpoint=args.detector_checkpoint,
        batch_size=args.batch_size,
        flip=False if args.no_flip else None,
    )
    recipe.require()  # what is missing is reported before anything is written
    devices = choose_devices(args.device, args.workers, recipe.gpus())
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
