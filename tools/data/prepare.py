"""Check a corpus before training: ``python tools/data/prepare.py CORPUS ROOT``.

Says which files are expected where and which are missing, whether every clip has its
frames and keypoints, as many as its annotation says and of one size, opened as training
and testing open them; frame rates and sizes, clips longer than is taken, sizes of the
vocabulary, glosses that training lacks, and what the splits allow to say about people
whom the network has not seen. Builds the vocabulary and writes it where told.
Nothing else is written. Exit status 1 if training or testing would stumble.

``prepare.py elan FOLDER OUT`` and ``prepare.py subtitles FOLDER OUT`` make a corpus of
recordings that are annotated in ELAN, or subtitled: see their own --help.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from _recordings import make_corpus

from mmsign.errors import ConfigError
from mmsign.files import check_outputs

CORPORA = {
    'phoenix2014': 'Phoenix2014Dataset',
    'phoenix2014si5': 'Phoenix2014SI5Dataset',
    'phoenix2014T': 'Phoenix2014TDataset',
    'csl-daily': 'CSLDailyDataset',
    'folder': 'SignFolderDataset',
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('corpus', choices=CORPORA)
    parser.add_argument('root', metavar='ROOT', help='folder of the corpus')
    parser.add_argument(
        '--frames',
        metavar='WHERE',
        help='where the frames are, if not where the corpus has them: a folder, a zip '
        "archive or a pattern with {clip_id}, as the dataset's `frames`",
    )
    parser.add_argument(
        '--no-frames', action='store_true', help='do not look for frames'
    )
    parser.add_argument(
        '--ann-file',
        metavar='FILE',
        help="the authors' annotations, such as phoenix14t.{split}; for `folder`, the "
        'manifest',
    )
    parser.add_argument(
        '--keypoint-file', metavar='FILE', help='look for the keypoints of every clip'
    )
    parser.add_argument(
        '--fps',
        type=float,
        help="frames per second that videos are brought to (default: the corpus's)",
    )
    for split in ('dev', 'test'):
        parser.add_argument(
            f'--{split}-signers',
            nargs='*',
            metavar='NAME',
            help=f"the {split} split is all that these have signed, as the config's "
            f'signers=dict({split}=[…])',
        )
    parser.add_argument(
        '--step',
        type=int,
        default=1,
        metavar='N',
        help='every N-th frame is seen, as the config says',
    )
    parser.add_argument(
        '--max-length',
        type=int,
        default=400,
        metavar='FRAMES',
        help="the most frames taken of a clip, as the config's SampleClip "
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='decode no images: damaged ones are not found then',
    )
    parser.add_argument(
        '--vocab',
        metavar='FILE',
        type=Path,
        help='write the vocabulary, a gloss a line',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Check; 0 if all is there, 1 if something is missing, 2 for a usage error."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] in (['elan'], ['subtitles']):
        return make_corpus(argv)
    args = parse_args(argv)
    if not Path(args.root).is_dir():
        raise ConfigError(f'{args.root} is not a folder')
    # Imported late: --help and refusals answer at once.
    import mmsign.datasets
    from mmsign.datasets.corpus_check import check_corpus, describe
    from mmsign.engine.launch import say

    kind = getattr(mmsign.datasets, CORPORA[args.corpus])
    read = [Path(args.root, args.keypoint_file or ''), args.frames]
    for split in kind.SPLITS:
        read += kind.annotation_files(args.root, split, args.ann_file)
    check_outputs([args.vocab], read)
    named = dict(dev=args.dev_signers, test=args.test_signers)
    report = check_corpus(
        kind,
        args.root,
        args.keypoint_file,
        look_at_frames=not args.no_frames,
        decode=not args.quick,
        max_length=args.max_length,
        frames=args.frames,
        ann_file=args.ann_file,
        fps=args.fps,
        signers={split: names for split, names in named.items() if names is not None},
        step=args.step,
        progress=lambda line: say(line, sys.stderr),
    )
    print(describe(report))
    if args.vocab is not None and report.vocabulary is not None:
        report.vocabulary.save(args.vocab)
        print(f'vocabulary written to {args.vocab}')
    return 0 if report.complete else 1


if __name__ == '__main__':
    from mmsign.engine.launch import reported_errors

    with reported_errors(status=2):
        sys.exit(main())
