"""Collect keypoints in one file of the native format, or write .pose files of them.

    python tools/convert/keypoints.py SRC [SRC …] DST.safetensors
    python tools/convert/keypoints.py SRC [SRC …] FOLDER --fps 25

SRC is the paper authors' keypoint pickle, a JSON file of MMPose's inferencer or a
folder of such files (NAME.json or NAME.mmpose.json, one per clip), or a keypoint file
in the native format, such as the parts that several processes have written. DST may
exist: clips it holds are kept and not read again, so an interrupted run goes on.
Clips that cannot be converted are listed at the end, and the exit status is 1 then.
In FOLDER every clip becomes a file NAME.pose (COCO-WholeBody) for pose-format.
Nothing in a source is executed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('sources', nargs='+', metavar='SRC')
    parser.add_argument('target', metavar='DST', help='NAME.safetensors, or a folder')
    parser.add_argument(
        '--frame-size',
        metavar='WIDTHxHEIGHT',
        help='of all clips, in pixels; keypoints alone then do without frames',
    )
    parser.add_argument(
        '--fps', type=float, help='frames per second that .pose files state'
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
        FileNotFoundError, DataError, ConfigError: If a source is not there, DST is
            another file, or an option does not go with it.
    """
    from mmsign.datasets import KeypointWriter, open_frames
    from mmsign.datasets.io.keypoint_sources import estimator_of, open_keypoint_sources
    from mmsign.engine.launch import with_progress
    from mmsign.errors import ConfigError, DataError
    from mmsign.files import check_outputs
    from mmsign.keypoints import parse_frame_size
    from mmsign.pose.sources import find_clips

    poses = not os.path.splitext(args.target)[1]
    kinds = [] if poses else ['.safetensors']
    check_outputs([args.target], [*args.sources, args.videos], kinds, folders=poses)
    if poses == (args.fps is None):
        raise ConfigError('--fps is what files .pose state: give it if DST is a folder')
    if poses and args.estimator is not None:
        raise ConfigError('--estimator: files .pose do not say it')
    size = args.frame_size and parse_frame_size(args.frame_size)
    videos = (
        {clip.clip_id: clip for clip in find_clips(args.videos)} if args.videos else {}
    )

    def length_of(clip_id: str) -> int | None:
        clip = videos.get(clip_id)
        return None if clip is None else len(open_frames(clip.frames))

    clips = open_keypoint_sources(args.sources, length_of)
    failures = []
    native = native_files(args.sources)
    layouts = {file.layout for file in native}
    only = len(native) == len(args.sources) and len(layouts) == 1
    layout = layouts.pop() if only else 'coco_wholebody_133'
    there = [args.target] if os.path.exists(args.target) else []
    with (
        nullcontext(PoseFolder(args, {size, *(file.frame_size for file in native)}))
        if poses
        else KeypointWriter(
            args.target,
            layout,
            size,
            estimator_of([*args.sources, *there], args.estimator),
        )
    ) as writer:
        new = [clip_id for clip_id in clips if clip_id not in writer.done]
        for clip_id in with_progress(new):
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
    if not writer.done and not poses:
        os.remove(args.target)
    added = len(new) - len(failures)
    print(f'{args.target}: {added} clips added, {len(writer.done)} in all')
    return failures


def native_files(sources: Sequence[str]) -> list:
    """The sources in the native format that can be read."""
    from mmsign.datasets import KeypointFile
    from mmsign.errors import DataError

    found = []
    for path in sources:
        if path.lower().endswith('.safetensors'):
            with suppress(DataError):  # reported with what is in it
                _ = KeypointFile.open(path).layout
                found.append(KeypointFile.open(path))
    return found


class PoseFolder:
    """Takes clips as ``KeypointWriter`` does, and writes a file ``.pose`` of each."""

    def __init__(
        self, args: argparse.Namespace, sizes: set[tuple[int, int] | None]
    ) -> None:
        from mmsign.errors import ConfigError

        stated = sizes - {None}
        if len(stated) != 1:
            found = ', '.join(f'{w}×{h}' for w, h in sorted(stated)) or 'nothing'
            raise ConfigError(f'--frame-size: expected one of all clips, found {found}')
        self.folder, self.size, self.fps = args.target, stated.pop(), args.fps
        self.done: set[str] = set()

    def add(self, clip_id: str, points: np.ndarray) -> None:
        """Write a clip; points (N, K, 3)."""
        from mmsign.datasets.io.archives import safe_member
        from mmsign.errors import DataError
        from mmsign.interop.pose_files import POSE_SUFFIX, write_pose

        if not safe_member(clip_id):
            raise DataError(f'clip {clip_id!r} is no usable name of a file')
        path = os.path.join(self.folder, clip_id + POSE_SUFFIX)
        write_pose(path, points, self.size, self.fps)
        self.done.add(clip_id)


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
