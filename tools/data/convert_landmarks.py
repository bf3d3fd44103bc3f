"""Named points (MediaPipe Holistic's or others) to a keypoint file.

SRC is a CSV or JSON file of one clip, or a folder of such files at any depth; a clip is
called by its file's path in there without suffix. docs/keypoints.md describes the files
and which point becomes which. Points that do not exist have score 0. Files that cannot
be read are listed at the end, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmsign.errors import ConfigError


def frame_size(text: str) -> tuple[int, int]:
    """``210x260`` → (210, 260)."""
    try:
        width, height = (int(side) for side in text.lower().split('x'))
    except ValueError:
        width = height = 0
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no size; expected WIDTHxHEIGHT, as 210x260'
        )
    return width, height


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, metavar='SRC')
    parser.add_argument('out', type=Path, metavar='OUT', help='NAME.safetensors')
    parser.add_argument(
        '--frame-size',
        type=frame_size,
        required=True,
        metavar='WIDTHxHEIGHT',
        help='of the videos in pixels',
    )
    parser.add_argument(
        '--pixels',
        action='store_true',
        help="coordinates are in pixels; otherwise shares of the frame's width and "
        'height, as MediaPipe gives them',
    )
    parser.add_argument(
        '--table',
        type=Path,
        metavar='FILE.json',
        help="names → indices among the 133 points (default: MediaPipe's landmarks)",
    )
    return parser.parse_args(arguments)


def run(args: argparse.Namespace) -> int:
    from mmsign.datasets import write_keypoints
    from mmsign.datasets.clip_names import clip_name
    from mmsign.datasets.io.listing import files_under, left_out
    from mmsign.files import check_outputs
    from mmsign.interop.mediapipe_points import (
        LANDMARK_SUFFIXES,
        MEDIAPIPE_TABLE,
        keypoints_79,
        read_landmarks,
        read_table,
    )
    from mmsign.vocab import composed

    if not args.source.exists():
        raise ConfigError(f'{args.source} does not exist')
    check_outputs([args.out], [args.source, args.table], ['.safetensors'])
    table = MEDIAPIPE_TABLE if args.table is None else read_table(args.table)
    root = args.source if args.source.is_dir() else args.source.parent
    files: dict[str, list[Path]] = {}
    every = [args.source] if args.source.is_file() else list(files_under(root))
    if notice := left_out(every, LANDMARK_SUFFIXES):
        print(notice)
    for file in every:
        if file.suffix.lower() in LANDMARK_SUFFIXES:
            files.setdefault(composed(clip_name(file, root)), []).append(file)
    clips, failures = {}, []
    for clip_id, (file, *others) in files.items():
        if others:
            failures.append(f'{file} and {others[0]} are of one clip; remove one')
            continue
        try:
            points = read_landmarks(file)
            keypoints = keypoints_79(
                points, table, args.frame_size, normalized=not args.pixels
            )
        except (OSError, ValueError) as error:
            named = str(file) in str(error)
            failures.append(str(error) if named else f'{file}: {error}')
            continue
        found = (keypoints[..., 2] > 0).mean()
        if not found:
            names = sorted({name for frame in points for name in frame})
            failures.append(
                f'{file}: the table knows none of its points '
                f'({", ".join(names[:3])}, …)'
            )
            continue
        clips[clip_id] = keypoints
        print(f'{clip_id}: {len(points)} frames, {found:.1%} of the points found')
    if not clips and not failures:
        raise ConfigError(
            f'{args.source} holds no {" or ".join(LANDMARK_SUFFIXES)} files'
        )
    if clips:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_keypoints(args.out, clips, 'mmsign_79', args.frame_size)
        print(f'{args.out}: {len(clips)} clips')
    if failures:
        print(f'{len(failures)} files could not be read:', file=sys.stderr)
        for reason in failures:
            print(f'  {reason}', file=sys.stderr)
    return 1 if failures else 0


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    from mmsign.engine.launch import reported_errors

    with reported_errors():
        return run(args)


if __name__ == '__main__':
    sys.exit(main())
