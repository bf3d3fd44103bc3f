"""Write a report of recognised glosses, one HTML page that needs nothing else.

    python tools/analysis/report.py PREDICTIONS.jsonl OUT.html [--compare OTHER.jsonl]
                                    [--corpus phoenix2014|phoenix2014T|csl-daily|none]
                                    [--output average] [--training GLOSSES.txt]
                                    [--costs sclite|levenshtein]

PREDICTIONS is the .jsonl file that WERMetric writes where its `dump` says. The page
shows the word errors of every output, every sentence aligned, the worst first, the
confusions, and the errors by signer, length and frequency of the gloss; with
--compare also a second run on the same clips, with confidence intervals and a
paired test.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmsign.engine.launch import reported_errors
from mmsign.evaluation import GLOSS_CLEANUPS, clean_glosses
from mmsign.evaluation.levenshtein import COSTS, check_costs
from mmsign.files import check_outputs, read_lines, write_text
from mmsign.visualization.html_report import load_run, report_page
from mmsign.visualization.training_log import distinct_names

# CSL-Daily is scored on its glosses as they are.
CORPORA = {name: name for name in GLOSS_CLEANUPS} | {'csl-daily': 'none'}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('predictions', metavar='PREDICTIONS', help='a .jsonl dump')
    parser.add_argument('out', metavar='OUT', help='the .html file to write')
    parser.add_argument('--compare', metavar='OTHER', help='the dump of another run')
    parser.add_argument(
        '--corpus',
        choices=CORPORA,
        default='none',
        help='clean the glosses as this corpus prescribes (default: %(default)s)',
    )
    parser.add_argument(
        '--output', help='whose sentences are shown; default: average, or the first'
    )
    parser.add_argument(
        '--training',
        metavar='GLOSSES',
        help='the glosses of the training set, one sentence per line, to count them',
    )
    parser.add_argument(
        '--costs',
        choices=COSTS,
        default='sclite',
        help='levenshtein: at unit costs as well, by jiwer (default: %(default)s)',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    check_costs(args.costs)
    read = [args.predictions, args.compare, args.training]
    check_outputs([args.out], read, ['.html', '.htm'])
    cleanup = CORPORA[args.corpus]
    dumps = [args.predictions, *filter(None, [args.compare])]
    names = distinct_names(Path(path).with_suffix('') for path in dumps)
    run = load_run(args.predictions, cleanup, names[0])
    other = load_run(args.compare, cleanup, names[-1]) if args.compare else None
    training = None
    if args.training:
        lines = (clean_glosses(x.split(), cleanup) for x in read_lines(args.training))
        training = Counter(gloss for line in lines for gloss in line)
    output = args.output
    if output is None:
        output = 'average' if 'average' in run.errors else next(iter(run.errors))
    page = report_page(run, output, other, training, cleanup, args.costs)
    write_text(args.out, page)
    print(f'{args.out}: {len(run.clips)} sentences')


if __name__ == '__main__':
    with reported_errors(status=2):
        main()
