"""Render the toy corpus: signers, sentences, frames, keypoints.

Writes the exact folder layout of Phoenix-2014T (or Phoenix-2014) and one keypoint
file, keypoints.safetensors. The same options give the same bytes. With
--variant hard a quarter of the signers train, signing twice as many signs that flow
into one another: differences between networks are larger there. With
--annotations the sentences come from a real corpus's tables and only the pictures
are rendered: a stand-in for the videos, to try configs on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from mmsign.engine.launch import interruptible, reported_errors, say
from mmsign.errors import ConfigError
from mmsign.files import write_text
from mmsign.toy.corpus import invent_sentences, read_sentences, write_corpus
from mmsign.toy.signers import Difficulty
from mmsign.toy.variants import VARIANTS

STAMP = 'toy_corpus.json'
UNFINISHED = 'toy_corpus.unfinished'
VERSION = 1


def frame_size(text: str) -> tuple[int, int]:
    """``84x104`` → (84, 104)."""
    try:
        width, height = (int(side) for side in text.lower().split('x'))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no size; expected WIDTHxHEIGHT, as 84x104'
        ) from None
    if min(width, height) < 32:
        raise argparse.ArgumentTypeError('frames are at least 32 pixels wide and high')
    return width, height


def natural(text: str) -> int:
    """An integer from 0 on."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'expected 0 or more, got {text}')
    return value


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('dst', type=Path, metavar='DST', help='folder to write')
    parser.add_argument('--seed', type=natural, default=0)
    parser.add_argument(
        '--layout', choices=('phoenix2014T', 'phoenix2014'), default='phoenix2014T'
    )
    parser.add_argument(
        '--variant',
        choices=VARIANTS,
        default='usual',
        help='hard: 6 training signers instead of 24, 48 signs instead of 24, strong '
        'co-articulation, as many clips',
    )
    for split, count in VARIANTS['usual'].sentences.items():
        parser.add_argument(
            f'--{split}', type=natural, help=f'sentences (default: {count})'
        )
    parser.add_argument(
        '--citations',
        type=natural,
        help='how often each training signer signs each gloss on its own '
        '(default: 1, with --variant hard 2)',
    )
    parser.add_argument(
        '--difficulty',
        type=float,
        default=1.0,
        help='0 (clean) to 5: variation of signers and signs, keypoint errors',
    )
    parser.add_argument(
        '--size',
        type=frame_size,
        help='of the frames in pixels (default: 84x104, with --annotations 210x260)',
    )
    parser.add_argument('--workers', type=natural, default=2, help='processes')
    parser.add_argument(
        '--annotations',
        type=Path,
        metavar='ROOT',
        help="take the sentences of the real corpus's tables in ROOT",
    )
    parser.add_argument(
        '--limit',
        type=natural,
        default=4,
        help='with --annotations: sentences of each split',
    )
    parser.add_argument(
        '--keep-all-annotations',
        action='store_true',
        help='with --annotations: whole tables (for the vocabulary), although only '
        '--limit clips of each split have frames',
    )
    return parser.parse_args()


def ready(dst: Path, options: dict) -> bool:
    """Whether DST holds this corpus; a ConfigError if it holds anything else."""
    stamp = dst / STAMP
    if stamp.is_file():
        found = json.loads(stamp.read_text(encoding='utf-8'))
        # Made before there were others, a corpus is of the usual variant.
        if dict(variant='usual') | found == options:
            return True
        raise ConfigError(
            f'{dst} holds a toy corpus made with other options (see {stamp}); '
            'remove it or choose another folder'
        )
    if dst.exists() and not dst.is_dir():
        raise ConfigError(f'{dst} is a file, not a folder')
    if dst.is_dir() and any(dst.iterdir()) and not (dst / UNFINISHED).is_file():
        raise ConfigError(
            f'{dst} holds something else than a toy corpus; choose an empty folder'
        )
    return False


def main() -> None:
    args = parse_args()
    variant = VARIANTS[args.variant]
    if args.annotations is not None and args.variant != 'usual':
        raise ConfigError(
            f'--variant {args.variant} is one of the toy language, but --annotations '
            f'takes the sentences of {args.annotations}: leave one of them out'
        )
    for key, value in dict(variant.sentences, citations=variant.citations).items():
        if getattr(args, key) is None:
            setattr(args, key, value)
    size = args.size or ((84, 104) if args.annotations is None else (210, 260))
    options = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in vars(args).items()
        if key not in ('dst', 'workers')
    } | dict(size=list(size), version=VERSION)
    if ready(args.dst, options):
        print(f'{args.dst} holds this corpus already')
        return
    limit = max_frames = None
    Difficulty.scaled(args.difficulty)
    if args.annotations is None:
        sizes = {split: getattr(args, split) for split in ('train', 'dev', 'test')}
        corpus = invent_sentences(sizes, args.citations, args.seed, variant)
    else:
        corpus = read_sentences(args.annotations, args.layout)
        # The longest clip the recipe of the paper takes whole.
        limit, max_frames = args.limit, 400
        if not args.keep_all_annotations:
            corpus = {split: rows[:limit] for split, rows in corpus.items()}
    args.dst.mkdir(parents=True, exist_ok=True)
    (args.dst / UNFINISHED).touch()
    start = time.perf_counter()

    def progress(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            seconds = time.perf_counter() - start
            say(f'{done}/{total} clips, {seconds:.0f} s')

    frames = write_corpus(
        args.dst,
        corpus,
        args.layout,
        size,
        args.seed,
        args.difficulty,
        variant,
        limit,
        max_frames,
        args.workers,
        progress,
    )
    write_text(args.dst / STAMP, json.dumps(options, indent=1))
    (args.dst / UNFINISHED).unlink()
    rate = frames / (time.perf_counter() - start)
    print(f'{args.dst}: {frames} frames, {rate:.0f} frames/s')


if __name__ == '__main__':
    with reported_errors(), interruptible(lambda: 'the same command starts over'):
        main()
