"""Landmarks (MediaPipe Holistic's or other named points) to keypoints, or to a corpus.

SRC is a file, or a folder of files at any depth: named points as CSV or JSON, one
recording each; vectors of 258 or 1662 numbers a frame as .npy, a recording each or a
folder of frames; many recordings in a .npz; or poses of pose-format (.pose), which say
their frame size and rate. docs/landmarks.md describes them and which point becomes
which. Points that do not exist have score 0.

OUT is a keypoint file, or a folder, which then holds a corpus of keypoints alone for
configs/keypoint_slr_small.py: keypoints.safetensors and manifest.csv. Glosses, signers
and splits come from --labels; without it a recording shows the sign that its folder is
named after, and of each sign one recording in ten is for the test and one for the
development split.

What cannot be read is listed at the end, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mmsign.errors import ConfigError, DataError

# No estimator guesses a point so far outside of the picture.
FRAMES_AWAY = 20


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, metavar='SRC')
    parser.add_argument(
        'out', type=Path, metavar='OUT', help='NAME.safetensors, or a folder'
    )
    parser.add_argument(
        '--frame-size',
        metavar='WIDTHxHEIGHT',
        help='of the videos in pixels, unless the files say it',
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
        help='names → indices among the 133 points; of a .pose COMPONENT.POINT '
        "(default: MediaPipe's landmarks, and the layouts of .pose that are known)",
    )
    parser.add_argument(
        '--estimator',
        metavar='NAME',
        help='what found the points, where it is not MediaPipe (docs/keypoints.md)',
    )
    parser.add_argument(
        '--labels',
        type=Path,
        metavar='FILE.csv',
        help='of a corpus: the columns id and any of glosses, signer, split',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='of a corpus: frames per second of recordings whose files do not say it',
    )
    return parser.parse_args(arguments)


def run(args: argparse.Namespace) -> int:
    from mmsign.datasets import write_keypoints
    from mmsign.datasets.io.frame_times import checked_fps
    from mmsign.datasets.io.keypoint_sources import agreed_estimator
    from mmsign.datasets.io.landmark_sources import (
        DEFAULT_TABLE,
        SUFFIXES,
        Recording,
        find_recordings,
    )
    from mmsign.datasets.landmark_corpus import (
        deal_splits,
        described,
        read_labels,
        write_manifest,
    )
    from mmsign.engine.launch import with_progress
    from mmsign.files import check_outputs
    from mmsign.interop.mediapipe_points import placed, read_table
    from mmsign.keypoints import misplaced, parse_frame_size

    suffix = args.out.suffix.lower()
    alone = suffix == '.safetensors'
    if suffix and not alone and not suffix[1:].isdecimal() and not args.out.is_dir():
        raise ConfigError(f'the output {args.out} must be *.safetensors or a folder')
    if alone and (args.labels or args.fps):
        raise ConfigError('--labels and --fps are of a corpus: name a folder as OUT')
    out = args.out if alone else args.out / 'keypoints.safetensors'
    manifest = None if alone else args.out / 'manifest.csv'
    check_outputs([out, manifest], [args.source, args.table, args.labels])
    checked_fps(args.fps, '--fps')
    given = None if args.frame_size is None else parse_frame_size(args.frame_size)
    table = DEFAULT_TABLE if args.table is None else read_table(args.table)
    labels = None if args.labels is None else read_labels(args.labels)
    owners: dict[str, list[Recording]] = {}
    for recording in find_recordings(args.source):
        owners.setdefault(recording.clip_id, []).append(recording)
    if not owners:
        kinds = ', '.join(SUFFIXES)
        raise ConfigError(f'{args.source} holds no recording ({kinds})')
    clips, rows, sizes, failures, odd, found = {}, [], {}, [], [], []
    makers: dict[str | None, str] = {}  # and where their first points are
    for name, (recording, *others) in with_progress(list(owners.items())):
        where = recording.where
        try:
            if others:
                both = f'{where} and {others[0].where}'
                raise DataError(f'{both} are of one clip; remove one')
            row = None if alone else described(recording, labels)
            marks = recording.read(table)
            size = size_of(marks.frame_size, given)
            pixels = args.pixels or marks.frame_size is not None
            keypoints = placed(marks.points, size, not pixels)
            check_found(marks.points, keypoints, pixels)
        except (OSError, ValueError) as error:
            known = where in str(error)
            failures.append(str(error) if known else f'{where}: {error}')
            continue
        clips[name], sizes[name] = keypoints, size
        makers.setdefault(marks.estimator, where)
        if row is not None:
            rows.append(row | dict(fps=marks.fps or args.fps))
        found.append((keypoints[..., 2] > 0).mean())
        if notice := misplaced(keypoints, size):
            odd.append(f'{where}: {notice}')
    estimator = args.estimator
    if estimator is None and args.table is None:
        # Points that are called as MediaPipe's are MediaPipe's.
        estimator = agreed_estimator({where: by for by, where in makers.items()})
    if clips and not alone:
        deal_splits(rows)
    if clips:
        (size, *other_sizes) = {*sizes.values()}
        if other_sizes and alone:
            print(f'{out}: frames of {1 + len(other_sizes)} sizes, none is stated')
        for row in rows if other_sizes else ():
            row['frame_size'] = '{}x{}'.format(*sizes[row['id']])
        out.parent.mkdir(parents=True, exist_ok=True)
        about = None if other_sizes else size, estimator
        write_keypoints(out, clips, 'mmsign_79', *about)
        share = f'{np.mean(found):.1%} of the points found'
        print(f'{out}: {len(clips)} clips, {share}')
    if clips and not alone:
        write_manifest(manifest, rows)
        said = sorted({gloss for row in rows for gloss in row['glosses'].split()})
        print(f'{manifest}: {len(said)} glosses, {", ".join(said[:8])}', end='')
        print(', …' if len(said) > 8 else '')
        if unknown := sorted({*labels} - {*owners}) if labels else []:
            print(f'{args.labels}: no recordings of {len(unknown)}, {unknown[0]} first')
    if odd:
        print(f'{len(odd)} recordings may be of another frame size, first {odd[0]}')
    if failures:
        print(f'{len(failures)} recordings could not be read:', file=sys.stderr)
        print(*(f'  {line}' for line in failures), sep='\n', file=sys.stderr)
    return 1 if failures else 0


def size_of(stated: tuple[int, int] | None, given: tuple[int, int] | None) -> tuple:
    """A recording's frame size, as its file or --frame-size says; (width, height)."""
    if stated is None and given is None:
        raise DataError('nothing says its frame size; give --frame-size')
    if None not in (stated, given) and stated != given:
        sizes = ('×'.join(map(str, size)) for size in (stated, given))
        raise DataError('it states frames of {}, not {}'.format(*sizes))
    return stated or given


def check_found(points: np.ndarray, keypoints: np.ndarray, pixels: bool) -> None:
    """Raise DataError if no point was found, or they seem to be in another unit: all in
    the first two pixels, or more than a few many frames away."""
    if not (keypoints[..., 2] > 0).any():
        shares = 'shares of the frame, or give --pixels'
        raise DataError(f'no point found; expected {"pixels" if pixels else shares}')
    if pixels and np.nanmax(np.abs(points[..., :2])) <= 2:
        raise DataError(
            'no coordinate above 2: shares of the frame? leave --pixels out'
        )
    places = points[..., :2][np.isfinite(points[..., :2]).all(axis=-1)]
    far = float((np.abs(places) > FRAMES_AWAY).any(axis=1).mean())
    if not pixels and far > 0.01:
        raise DataError(
            f'{far:.0%} of the points lie {FRAMES_AWAY} frames away or more: pixels '
            'among shares of the frame? bring all to one unit'
        )


def main(arguments: list[str] | None = None) -> int:
    args = parse_args(arguments)
    from mmsign.engine.launch import reported_errors

    with reported_errors():
        return run(args)


if __name__ == '__main__':
    sys.exit(main())
