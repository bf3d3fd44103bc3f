"""Score text files with the measures mmsign reports, without a model.

    python tools/score.py wer REF HYP [--corpus phoenix2014|phoenix2014T|csl-daily|none]
                                      [--json]

REF and HYP hold one sentence per line, UTF-8, in the same order; an empty line is
a sentence without words.
"""

from __future__ import annotations

import argparse
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path


def _import_lightly() -> None:
    # `import mmsign` and `import mmsign.evaluation` load PyTorch and MMAction2 to
    # register their parts: seconds, for a script that only compares words. Empty
    # packages in their place let the modules below be imported alone.
    root = Path(__file__).resolve().parent.parent
    for name in ('mmsign', 'mmsign.evaluation'):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split('.')))]
        sys.modules[name] = package


if __name__ == '__main__':
    _import_lightly()

from mmsign.evaluation.cleanup import clean_glosses  # noqa: E402
from mmsign.evaluation.report import word_error_table  # noqa: E402
from mmsign.evaluation.wer import count_word_errors  # noqa: E402

# CSL-Daily is scored on its glosses as they are.
CLEANUP_OF_CORPUS = {
    'phoenix2014': 'phoenix2014',
    'phoenix2014T': 'phoenix2014T',
    'csl-daily': 'none',
    'none': 'none',
}


class InputError(Exception):
    """A file that cannot be scored; the message is for the user."""


def read_sentences(path: str) -> list[list[str]]:
    """The words of each line.

    Raises:
        InputError: the file cannot be read or is not UTF-8; says where.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f'cannot read {path}: {error.strerror}') from error
    try:
        text = data.decode('utf-8').removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise InputError(
            f'{path} is not UTF-8: line {line} holds the byte '
            f'0x{data[error.start]:02x}, which cannot be decoded'
        ) from error
    # Not splitlines(), which also breaks lines at characters words may hold.
    lines = text.split('\n')
    if not lines[-1]:
        lines.pop()
    return [line.split() for line in lines]


def score_wer(args: argparse.Namespace) -> str:
    """The report of ``score.py wer``."""
    references, hypotheses = read_sentences(args.ref), read_sentences(args.hyp)
    if len(references) != len(hypotheses):
        raise InputError(
            f'{args.ref} has {len(references)} lines and {args.hyp} '
            f'{len(hypotheses)}: expected one hypothesis per reference'
        )
    cleanup = CLEANUP_OF_CORPUS[args.corpus]
    counts = count_word_errors(
        [clean_glosses(words, cleanup) for words in references],
        [clean_glosses(words, cleanup) for words in hypotheses],
    )
    if not counts.reference_words:
        raise InputError(f'{args.ref} holds no word, so there is no word error rate')
    if not args.json:
        return word_error_table({Path(args.hyp).name: counts})
    return json.dumps(
        dict(
            wer=counts.wer,
            substitutions=counts.substitutions,
            deletions=counts.deletions,
            insertions=counts.insertions,
            errors=counts.errors,
            reference_words=counts.reference_words,
            sentences=counts.sentences,
            sentence_accuracy=counts.sentence_accuracy,
        ),
        indent=1,
    )


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    measures = parser.add_subparsers(dest='measure', required=True)
    wer = measures.add_parser(
        'wer', help="word error rate with NIST sclite's alignment costs"
    )
    wer.add_argument('ref', metavar='REF', help='references, one sentence per line')
    wer.add_argument('hyp', metavar='HYP', help='hypotheses, one sentence per line')
    wer.add_argument(
        '--corpus',
        choices=CLEANUP_OF_CORPUS,
        default='none',
        help='clean both sides as this corpus prescribes (default: %(default)s)',
    )
    wer.add_argument('--json', action='store_true', help='print the counts as JSON')
    wer.set_defaults(score=score_wer)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0, or 2 for input that cannot be scored."""
    args = parse_args(argv)
    try:
        print(args.score(args))
    except InputError as error:
        print(f'score.py: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
