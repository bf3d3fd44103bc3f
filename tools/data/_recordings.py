"""``prepare.py elan`` and ``prepare.py subtitles``: a corpus of recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmsign.errors import ConfigError, DataError
from mmsign.files import check_outputs

ELAN = """Make a corpus of recordings that are annotated in ELAN.

Each sentence becomes a clip: an annotation of --text-tier with the glosses whose
middles lie in it; without such a tier, what lies between pauses of --pause seconds.
Its signer is the participant of the tier. Writes OUT/manifest.csv, in which clips are
stretches of the videos, which stay where they are and as they are; nothing is written
if a file cannot be used. The same command again after corrections.
"""
SUBTITLES = """Make a corpus of sentences of subtitled recordings, without glosses.

Files .srt and .vtt are about the video beside them of the same name. A sentence that
goes on in the next subtitle is put together, unless a pause of --pause seconds follows.
Writes OUT/manifest.csv, in which clips are stretches of the videos.
"""
SPLITS = {'--dev': 'dev', '--test': 'test'}


def parse_args(arguments: list[str]) -> argparse.Namespace:
    elan = arguments[0] == 'elan'
    parser = argparse.ArgumentParser(
        prog=f'{Path(sys.argv[0]).name} {arguments[0]}',
        description=ELAN if elan else SUBTITLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = '.eaf' if elan else '.srt or .vtt'
    parser.add_argument(
        'folder', type=Path, metavar='FOLDER', help=f'with files {kinds} at any depth'
    )
    parser.add_argument('out', type=Path, metavar='OUT', help='folder of the corpus')
    if elan:
        parser.add_argument(
            '--tier', required=True, metavar='NAME', help='the tier of glosses'
        )
        parser.add_argument('--text-tier', metavar='NAME', help='that of sentences')
        parser.add_argument(
            '--video',
            type=int,
            default=1,
            metavar='N',
            help='which of the linked videos is taken (default: the first)',
        )
    else:
        parser.add_argument('--signer', default='', help='who signs in all of them')
    parser.add_argument(
        '--pause',
        type=float,
        default=1.0,
        metavar='SECONDS',
        help='ends a sentence (default: %(default)s)',
    )
    parser.add_argument(
        '--keypoints',
        metavar='FILE',
        help='keypoints of the whole videos, by their names: writes those of the '
        'clips into OUT/keypoints.safetensors',
    )
    for option, split in SPLITS.items():
        parser.add_argument(
            option,
            nargs='+',
            default=[],
            metavar='RECORDING',
            help=f'recordings for the {split} split, by name without suffix, which may '
            'have * in it; all others are trained on',
        )
    return parser.parse_args(arguments[1:])


def make_corpus(arguments: list[str]) -> int:
    """Cut the recordings; 0 if the manifest is written, else 1."""
    args = parse_args(arguments)
    if not args.folder.is_dir():
        raise ConfigError(f'{args.folder} is not a folder')
    if not 0 < args.pause < float('inf'):
        raise ConfigError(f'--pause {args.pause}: expected more than 0 seconds')
    if getattr(args, 'video', 1) < 1:
        raise ConfigError(f'--video {args.video}: expected 1 or more')
    # Imported late: --help and refusals answer at once.
    from mmsign.datasets import KeypointFile, write_keypoints
    from mmsign.datasets.clip_names import clip_name
    from mmsign.datasets.io.recording_files import find_files
    from mmsign.datasets.recordings import split_of
    from mmsign.datasets.sign_folder import write_rows
    from mmsign.engine.launch import say
    from mmsign.interop.subtitles import SUFFIXES

    elan = arguments[0] == 'elan'
    manifest, cut_points = args.out / 'manifest.csv', None
    if args.keypoints is not None:
        cut_points = args.out / 'keypoints.safetensors'
    files = find_files(args.folder, ('.eaf',) if elan else SUFFIXES)
    check_outputs([manifest, cut_points], [*files, args.keypoints])
    if not files:
        kinds = '.eaf' if elan else ' or '.join(SUFFIXES)
        raise ConfigError(f'{args.folder} holds no file {kinds}')
    names = {file: clip_name(file.with_suffix(''), args.folder) for file in files}
    patterns = {split: getattr(args, split) for split in SPLITS.values()}
    splits = {file: split_of(name, patterns) for file, name in names.items()}
    for split in SPLITS.values():
        if patterns[split] and split not in splits.values():
            there = ', '.join(sorted(names.values())[:10])
            raise ConfigError(f'--{split}: no such recording; there are {there}')
    whole = None if args.keypoints is None else KeypointFile(args.keypoints)
    rows, failures, points = [], [], {}
    of_video: dict[str, Path] = {}
    for file in files:
        notices: list[str] = []
        try:
            cut = cut_elan if elan else cut_subtitles
            clips = cut(args, file, names[file], splits[file], notices)
            for other in {of_video.setdefault(clip['video'], file) for clip in clips}:
                if splits[other] != splits[file]:
                    raise DataError(
                        f'its video is that of {other}, which is for {splits[other]}, '
                        f'not {splits[file]}: name both by the same option'
                    )
                if other != file:
                    notices.append(f'its video is that of {other} as well')
            if whole is not None:
                points |= keypoints_of(whole, args.out, clips)
        except (OSError, ValueError) as error:
            known = str(file) in str(error)
            failures.append(str(error) if known else f'{file}: {error}')
            continue
        rows += clips
        say(f'{file}: {len(clips)} clips, {splits[file]}')
        for notice in notices:
            say(f'  note: {notice}')
    if failures:
        print(f'nothing written, {len(failures)} files are at fault:', file=sys.stderr)
        print(*(f'  {line}' for line in failures), sep='\n', file=sys.stderr)
        return 1
    if not rows:
        raise DataError(f'{args.folder}: no annotation in any of {len(files)} files')
    if whole is not None:
        about = whole.layout, whole.frame_size, whole.estimator
        write_keypoints(cut_points, points, *about)
        print(f'{cut_points}: {len(points)} clips')
    write_rows(manifest, rows)
    glosses = {gloss for row in rows for gloss in row['glosses'].split()}
    signers = {row['signer'] for row in rows} - {''}
    counts = f'{len(glosses)} different glosses, {len(signers)} signers'
    print(f'{manifest}: {len(rows)} clips, {counts}')
    return 0


def keypoints_of(whole, out: Path, clips: list[dict[str, str]]) -> dict:
    """Keypoints of the clips of a recording, by id."""
    from mmsign.datasets.io.recording_files import cut_keypoints

    spans = [(float(clip['start']), float(clip['end'])) for clip in clips]
    video = (out / clips[0]['video']).resolve() if clips else None
    found = cut_keypoints(whole, video, spans) if clips else []
    return {clip['id']: points for clip, points in zip(clips, found)}


def cut_elan(
    args: argparse.Namespace, eaf: Path, name: str, split: str, notices: list[str]
) -> list[dict[str, str]]:
    """Rows of the manifest for one file."""
    from mmsign.datasets import recordings
    from mmsign.datasets.io.recording_files import RecordedVideo, linked_video
    from mmsign.interop.elan import read_elan

    file = read_elan(eaf)
    tier = recordings.tier_of(file, args.tier)
    texts = None
    if args.text_tier is not None:
        texts = recordings.tier_of(file, args.text_tier)
    path, media = linked_video(eaf, file, args.video, args.folder)
    video = RecordedVideo.open(path)
    glosses = recordings.shifted(recordings.glosses_of(tier, notices), media.offset)
    if texts is None:
        sentences = recordings.at_pauses(glosses, args.pause, video.length)
    else:
        said = recordings.shifted(texts.annotations, media.offset)
        sentences = recordings.in_sentences(glosses, said, notices)
    sentences = recordings.within_video(sentences, video, notices)
    return recordings.manifest_rows(
        name, video, sentences, tier.participant, split, args.out
    )


def cut_subtitles(
    args: argparse.Namespace, file: Path, name: str, split: str, notices: list[str]
) -> list[dict[str, str]]:
    """Rows of the manifest for one file."""
    from mmsign.datasets import recordings
    from mmsign.datasets.io.recording_files import RecordedVideo, subtitled_video
    from mmsign.interop.subtitles import read_subtitles, sentences_of

    texts = sentences_of(read_subtitles(file), args.pause)
    video = RecordedVideo.open(subtitled_video(file))
    sentences = [
        recordings.Sentence(text.start, text.end, text=text.symbol) for text in texts
    ]
    sentences = recordings.within_video(sentences, video, notices)
    return recordings.manifest_rows(
        name, video, sentences, args.signer, split, args.out
    )
