"""Collect keypoints in one file of the native format.

    python tools/convert/keypoints.py SRC [SRC …] DST.safetensors

SRC is the paper authors' keypoint pickle, a JSON file of MMPose's inferencer or a
folder of such files (NAME.json or NAME.mmpose.json, one per clip), or a keypoint file
in the native format, such as the parts that several processes have written. DST may
exist: clips it holds are kept and not read again, so an interrupted run goes on.
Clips that cannot be converted are listed at the end, and the exit status is 1 then.
Nothing in a source is executed.
"""

from __future__ import annotations

import argparse
import os
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
    parser.add_argument(
        '--estimator',
        metavar='NAME',
        help='what made the points of sources that do not say it, such as '
        'td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288 (docs/keypoints.md)',
    )
    parser.add_argument(
        '--videos',
        metavar='VIDEOS_OR_CORPUS',
        help='where the clips themselves are (see tools/data/extract_keypoints.py), to '
        'know their numbers of frames: JSON files may leave out the last ones, and '
        'keypoints of more frames are refused',
    )
    return parser.parse_args(argv)


def convert(args: argparse.Namespace) -> list[str]:
    """Collect, and print what was added; returns what could not be.

    Raises:
        FileNotFoundError, DataError: If a source is not there, or DST is another file.
    """
    from mmsign.datasets import KeypointWriter, open_frames
    from mmsign.datasets.io.keypoint_sources import estimator_of, open_keypoint_sources
    from mmsign.errors import DataError
    from mmsign.files import check_outputs
    from mmsign.pose.sources import find_clips

    check_outputs([args.target], [*args.sources, args.videos], ['.safetensors'])
    videos = (
        {clip.clip_id: clip for clip in find_clips(args.videos)} if args.videos else {}
    )

    def length_of(clip_id: str) -> int | None:
        clip = videos.get(clip_id)
        return None if clip is None else len(open_frames(clip.frames))

    clips = open_keypoint_sources(args.sources, length_of)
    failures = []
    there = [args.target] if os.path.exists(args.target) else []
    about = dict(
        frame_size=args.frame_size,
        estimator=estimator_of([*args.sources, *there], args.estimator),
    )
    with KeypointWriter(args.target, **about) as writer:
        new = [clip_id for clip_id in clips if clip_id not in writer.done]
        for clip_id in new:
            try:
                points, length = clips[clip_id](), length_of(clip_id)
                if length not in (None, len(points)):
                    raise DataError(
                        f'clip {clip_id}: keypoints of {len(points)} frames, but '
                        f'{videos[clip_id].frames} has {length}'
                    )
                writer.add(clip_id, points)
            except DataError as error:
                failures.append(str(error))
    if not writer.done:
        os.remove(args.target)
    added = len(new) - len(failures)
    print(f'{args.target}: {added} clips added, {len(writer.done)} in all')
    return failures


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0, 1 if a clip is missing in DST; ends with 2 if nothing can be done."""
    args = parse_args(argv)
    from mmsign.engine.launch import reported_errors

    with reported_errors(status=2):
        failures = convert(args)
        if failures:
            print(f'{len(failures)} could not be converted:', file=sys.stderr)
            for reason in failures:
                print(f'  {reason}', file=sys.stderr)
        return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
