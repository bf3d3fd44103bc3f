"""Arguments of ``slrt_checkpoint.py``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmsign.interop.slrt_network import STREAMS
from mmsign.text.vocabulary import MODEL_FILE

USAGE = """Convert the paper authors' checkpoints into mmsign's, and back.

    python tools/convert/slrt_checkpoint.py SRC DST --vocab gloss2ids.pkl [--config …]
    python tools/convert/slrt_checkpoint.py SRC DST --vocab gloss2ids.pkl \\
        --output joint --gloss-rows FILE --recognizer FILE [--config …]
    python tools/convert/slrt_checkpoint.py S3D_kinetics400_weights DST
    python tools/convert/slrt_checkpoint.py MMSIGN_CHECKPOINT DST --reverse

See docs/checkpoints.md.
"""
OUTPUTS = (*STREAMS, 'joint')
TRANSLATION_ONLY = (
    'output',
    'recognizer',
    'gloss_rows',
    'gloss_language',
    'text_ids',
    'text_vocabulary',
    'translation_output',
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=USAGE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('src', metavar='SRC', help='checkpoint to read')
    parser.add_argument('dst', metavar='DST', help='checkpoint to write')
    parser.add_argument(
        '--config',
        help='config of the network; without it the sizes are taken from SRC',
    )
    parser.add_argument(
        '--vocab',
        metavar='FILE',
        help="the glosses of SRC's classes: the authors' gloss2ids.pkl, or a text file "
        'with one gloss a line, without the blank',
    )
    parser.add_argument(
        '--data-root',
        metavar='FOLDER',
        help="spell the glosses of a gloss2ids.pkl, which are small, as --config's "
        'corpus in this folder does',
    )
    parser.add_argument(
        '--write-config',
        metavar='FILE.py',
        help='write the config of --config with the vocabulary in it',
    )
    translation = parser.add_argument_group('translation networks')
    translation.add_argument(
        '--output',
        choices=OUTPUTS,
        help='the output of the recognizer that SRC translates from',
    )
    translation.add_argument(
        '--recognizer',
        metavar='FILE',
        help="a recognizer, the authors' or mmsign's, for the tensors that SRC lacks: "
        'their translators were trained from features and have no backbone',
    )
    translation.add_argument(
        '--gloss-rows',
        metavar='FILE',
        help="names of the rows of SRC's gloss embedding: a pickle name → row, or a "
        'text file with one name a line',
    )
    translation.add_argument(
        '--gloss-language',
        metavar='NAME',
        help='the name in --gloss-rows that ends a sentence of glosses (default: the '
        'only one that is neither a special token nor a gloss)',
    )
    translation.add_argument(
        '--text-ids',
        metavar='FILE',
        help="a pickle old id → new id, of SRC's pruned mBART",
    )
    translation.add_argument(
        '--text-vocabulary',
        metavar='FOLDER',
        help=f'a folder with {MODEL_FILE}; write the map of --text-ids into it',
    )
    translation.add_argument(
        '--translation-output',
        metavar='FILE',
        help='write the mBART alone as well, for checkpoint= of a translation head',
    )
    parser.add_argument(
        '--backbone',
        choices=STREAMS,
        help="write only the backbone of this stream, for a backbone's pretrained=",
    )
    parser.add_argument(
        '--reverse', action='store_true', help="from mmsign's names to the authors'"
    )
    args = parser.parse_args(argv)
    forward_only = ('config', 'vocab', 'data_root', 'write_config', *TRANSLATION_ONLY)
    given = [name for name in forward_only if getattr(args, name)]
    if args.reverse and given:
        parser.error(f'--reverse does not take --{given[0].replace("_", "-")}')
    if args.text_vocabulary and not args.text_ids:
        parser.error('--text-vocabulary is where the map of --text-ids is written')
    if args.data_root and not (args.config and args.vocab):
        parser.error('--data-root spells the glosses of --vocab as --config says')
    if args.write_config and not args.config:
        parser.error('--write-config writes what --config names, with the vocabulary')
    return args
