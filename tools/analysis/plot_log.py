"""Curves of trainings: ``python tools/analysis/plot_log.py WORK_DIR [...] --out FILE``.

Draws the loss, its terms, the learning rate and the word error rate of every output
(of translations BLEU-4 and ROUGE-L) from what a training logs, and prints a summary.
A training that was resumed is one curve, with a dotted line where it went on. Several
trainings are drawn into the same panels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mmsign.engine.launch import reported_errors
from mmsign.files import check_outputs
from mmsign.visualization.training_curves import save_curves, summary
from mmsign.visualization.training_log import distinct_names, read_log


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'logs',
        nargs='+',
        metavar='WORK_DIR_OR_LOG',
        help="a training's work folder, the folder of one start, or a scalars.json",
    )
    parser.add_argument(
        '--out', metavar='FILE', help='picture to write: .png, .pdf or .svg'
    )
    parser.add_argument(
        '--names', nargs='+', metavar='NAME', help='of the trainings, for the legend'
    )
    args = parser.parse_args(arguments)
    # A training's folder may hold its picture.
    check_outputs([args.out], [log for log in args.logs if Path(log).is_file()])
    names = args.names or distinct_names(args.logs)
    if len(names) != len(args.logs):
        parser.error(f'--names: {len(names)} names for {len(args.logs)} trainings')
    logs = [read_log(path, name) for path, name in zip(args.logs, names)]
    for log in logs:
        print(summary(log))
    if args.out is not None:
        save_curves(args.out, logs)
        print(f'{args.out}: written')


if __name__ == '__main__':
    with reported_errors():
        main()
