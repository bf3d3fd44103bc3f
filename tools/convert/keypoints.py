"""Collect keypoints in one file of the native format.

    python tools/convert/keypoints.py SRC [SRC …] DST.safetensors

SRC is the paper authors' keypoint pickle, a JSON file of MMPose's inferencer or a
folder of such files (NAME.json or NAME.mmpose.json, one per clip), or a keypoint file
in the native format, such as the parts that several processes have written. DST may
exist: clips it holds are kept and not read again, so an interrupted run goes on.
Nothing in a source is executed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


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


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('sources', nargs='+', metavar='SRC')
    parser.add_argument('target', metavar='DST')
    parser.add_argument(
        '--frame-size',
        type=frame_size,
        metavar='WIDTHxHEIGHT',
        help='of all clips, in pixels; keypoints alone then do without frames',
    )
    return parser.parse_args(argv)


def convert(args: argparse.Namespace) -> tuple[int, int]:
    """Collect; how many clips were added, and how many DST holds now.

    Raises:
        OSError, ValueError: Naming the source, if it cannot be read or written.
    """
    from mmsign.datasets.io.keypoint_file import KeypointWriter
    from mmsign.datasets.io.keypoint_sources import open_keypoint_source

    # All are opened first: a source that is refused leaves DST untouched.
    clips, origin = {}, {}
    for source in args.sources:
        for clip_id, read in open_keypoint_source(source).items():
            if clip_id in clips:
                raise ValueError(
                    f'clip {clip_id} is in {origin[clip_id]} and in {source}; leave '
                    'one of them out'
                )
            clips[clip_id], origin[clip_id] = read, source
    with KeypointWriter(args.target, frame_size=args.frame_size) as writer:
        new = [clip_id for clip_id in clips if clip_id not in writer.done]
        for clip_id in new:
            writer.add(clip_id, clips[clip_id]())
        return len(new), len(writer.done)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0, or 2 for a source that is refused."""
    args = parse_args(argv)
    try:
        added, total = convert(args)
    except (OSError, ValueError) as error:
        print(f'keypoints.py: {error}', file=sys.stderr)
        return 2
    print(f'{args.target}: {added} clips added, {total} in all')
    return 0


if __name__ == '__main__':
    sys.exit(main())
