"""Score files with the measures mmsign reports, without a model.

    python tools/score.py wer REF HYP [--corpus phoenix2014|phoenix2014T|csl-daily|none]
                          [--protocol paper|official] [--costs sclite|levenshtein]
                          [--verify-sclite] [--json]
    python tools/score.py bleu REF HYP --lang de|zh [--json]
    python tools/score.py align REF HYP [--sort order|wer] [--limit N]
    python tools/score.py signs DUMP.jsonl|REF [HYP] [--output average] [--json]
    python tools/score.py export DUMP.jsonl OUT.ctm|OUT.stm [--output average]

REF and HYP hold one sentence per line, UTF-8, in the same order; an empty line is
a sentence without words. For `wer` and `align` they may also be REF.stm and HYP.ctm,
matched by the names of the clips. For `signs` a line of REF is a clip's sign, or empty
for an idle clip, and one of HYP the signs that were read, best first, or nothing for
none of these; a metric's DUMP has both. docs/metrics.md explains every number.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

if __name__ == '__main__':
    from _light import import_lightly

    import_lightly('engine', 'engine.launch', 'evaluation', 'interop', 'visualization')

from mmsign.engine.launch.errors import reported_errors
from mmsign.errors import DataError
from mmsign.evaluation.cleanup import (
    OFFICIAL_CORPUS,
    PROTOCOLS,
    apply_protocol,
    clean_glosses,
)
from mmsign.evaluation.levenshtein import COSTS, check_costs, levenshtein_errors
from mmsign.evaluation.prediction_dump import read_predictions
from mmsign.evaluation.sclite import verify_with_sclite
from mmsign.evaluation.signers import errors_by_signer, familiar_signers, signer_table
from mmsign.evaluation.single_signs import (
    SignClip,
    SignScores,
    sign_group_table,
    sign_score_table,
    sign_scores_of,
)
from mmsign.evaluation.text_scores import score_texts, text_score_table
from mmsign.evaluation.tokens import split_text
from mmsign.evaluation.wer import (
    WordErrors,
    align_words,
    count_confusions,
    sentence_errors,
    word_error_table,
)
from mmsign.files import check_outputs, read_lines
from mmsign.interop.nist import UNKNOWN, export_predictions, read_ctm, read_stm
from mmsign.visualization.alignment import (
    render_alignment,
    render_confusions,
    wants_colour,
)

# CSL-Daily is scored on its glosses as they are.
CLEANUP_OF_CORPUS = {
    'phoenix2014': 'phoenix2014',
    'phoenix2014T': 'phoenix2014T',
    'csl-daily': 'none',
    'none': 'none',
}
LEVEL_OF_LANGUAGE = {'de': 'word', 'zh': 'character'}


class Sentences(NamedTuple):
    """Words of references and hypotheses, sentence by sentence, and their names.

    Signers are those that an STM file names; None where nothing does.
    """

    names: list[str]
    references: list[list[str]]
    hypotheses: list[list[str]]
    signers: list[str | None]


def read_pair(args: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The lines of both text files, as many of one as of the other."""
    references, hypotheses = read_lines(args.ref), read_lines(args.hyp)
    if len(references) != len(hypotheses):
        raise DataError(
            f'{args.ref} has {len(references)} lines and {args.hyp} '
            f'{len(hypotheses)}: expected one hypothesis per reference'
        )
    return references, hypotheses


def read_sentences(args: argparse.Namespace) -> Sentences:
    """The words of both files, two text files or an STM and a CTM file."""
    kinds = Path(args.ref).suffix.lower(), Path(args.hyp).suffix.lower()
    if '.stm' not in kinds and '.ctm' not in kinds:
        references, hypotheses = read_pair(args)
        names = [f'line {number}' for number in range(1, len(references) + 1)]
        return Sentences(
            names,
            list(map(split_text, references)),
            list(map(split_text, hypotheses)),
            [None] * len(names),
        )
    if kinds != ('.stm', '.ctm'):
        raise DataError(
            f'{args.ref} and {args.hyp} do not go together: expected REF.stm and '
            'HYP.ctm, or two text files'
        )
    segments, words = read_stm(args.ref), read_ctm(args.hyp)
    if unknown := sorted(words.keys() - segments.keys()):
        raise DataError(
            f'{len(unknown)} clips of {args.hyp} are not in {args.ref}; the first is '
            f'{unknown[0]!r}'
        )
    # A clip that the CTM file does not name is one in which nothing was recognised.
    return Sentences(
        list(segments),
        [split_text(' '.join(segment.words)) for segment in segments.values()],
        [
            split_text(' '.join(word.symbol for word in words.get(clip, ())))
            for clip in segments
        ],
        [None if s.speaker == UNKNOWN else s.speaker for s in segments.values()],
    )


def clean(sentences: Sentences, args: argparse.Namespace) -> Sentences:
    """Apply the protocol; naming one without a corpus means Phoenix-2014."""
    corpus = args.corpus or (OFFICIAL_CORPUS if args.protocol else 'none')
    protocol = args.protocol or 'paper'
    if protocol == 'official' and corpus != OFFICIAL_CORPUS:
        raise DataError(
            f'--protocol official is that of {OFFICIAL_CORPUS}, not of {corpus}'
        )
    cleaned = apply_protocol(
        sentences.references, sentences.hypotheses, protocol, CLEANUP_OF_CORPUS[corpus]
    )
    if not any(cleaned[0]):
        raise DataError(f'{args.ref} holds no word, so there is no word error rate')
    return Sentences(sentences.names, *cleaned, sentences.signers)


def score_wer(args: argparse.Namespace) -> str:
    """The report of ``score.py wer``."""
    check_costs(args.costs)
    _, references, hypotheses, signers = clean(read_sentences(args), args)
    each = list(map(sentence_errors, references, hypotheses))
    counts = sum(each, WordErrors())
    if args.verify_sclite:
        verify_with_sclite(references, hypotheses)
        print('sclite counts the same', file=sys.stderr)
    name, notice = Path(args.hyp).name, familiar_signers(signers, args.train_signers)
    by_signer = errors_by_signer(signers, {name: each})
    totals = {name: counts}
    if args.costs == 'levenshtein':
        totals[args.costs] = levenshtein_errors(references, hypotheses)
    if not args.json:
        parts = [word_error_table(totals)]
        parts += [signer_table(by_signer)] if len(by_signer) > 1 else []
        return '\n\n'.join([*parts, *filter(None, [notice])])
    if notice:
        print(notice, file=sys.stderr)
    shown, *others = map(_as_json, totals.values())
    return json.dumps(shown | dict(zip(list(totals)[1:], others)), indent=1)


def _as_json(counts: WordErrors) -> dict:
    return dict(
        wer=counts.wer,
        substitutions=counts.substitutions,
        deletions=counts.deletions,
        insertions=counts.insertions,
        errors=counts.errors,
        reference_words=counts.reference_words,
        sentences=counts.sentences,
        sentence_accuracy=counts.sentence_accuracy,
    )


def score_bleu(args: argparse.Namespace) -> str:
    """The report of ``score.py bleu``."""
    references, hypotheses = read_pair(args)
    if not any(line.split() for line in references):
        raise DataError(f'{args.ref} holds no sentence, so there is no score')
    scores = score_texts(references, hypotheses, LEVEL_OF_LANGUAGE[args.lang])
    if args.json:
        return json.dumps(asdict(scores), indent=1)
    return text_score_table({Path(args.hyp).name: scores})


def show_alignments(args: argparse.Namespace) -> str:
    """The report of ``score.py align``."""
    sentences = clean(read_sentences(args), args)
    entries = [
        (
            name,
            align_words(reference, hypothesis),
            sentence_errors(reference, hypothesis),
        )
        for name, reference, hypothesis in zip(*sentences[:3])
    ]
    confusions = count_confusions(pairs for _, pairs, _ in entries)
    if args.sort == 'wer':
        entries.sort(key=lambda entry: (-_rate(entry[2]), -entry[2].errors))
    width = shutil.get_terminal_size((100, 24)).columns
    blocks = [
        f'{name}: WER {_rate(errors):.2f}, {errors}\n'
        f'{render_alignment(pairs, width, wants_colour(sys.stdout))}'
        for name, pairs, errors in entries[: args.limit]
    ]
    return '\n\n'.join([*blocks, render_confusions(confusions)])


def _rate(errors) -> float:
    """Word error rate of one sentence; without reference words infinite or 0."""
    if errors.reference_words:
        return errors.wer
    return float('inf') if errors.errors else 0.0


def score_signs(args: argparse.Namespace) -> str:
    """The report of ``score.py signs``."""
    cleanup, dumped = CLEANUP_OF_CORPUS[args.corpus], args.hyp is None
    if dumped:
        records = read_predictions(args.ref)
        outputs = list(records[0]['hypotheses'])
        if args.output not in outputs:
            raise DataError(f'{args.ref} has the outputs {outputs}, not {args.output}')
        scores = {name: sign_scores_of(records, name, cleanup) for name in outputs}
        chosen = scores[args.output]
    else:
        chosen = read_signs(args, cleanup)
        scores = {Path(args.hyp).name: chosen}
    if not chosen.clips:
        raise DataError(f'{args.ref} holds no clip of a single sign, and no idle one')
    if args.json:
        known = dict(signs='reference') | (dict(signers='signer') if dumped else {})
        groups = {
            key: {name: one.metrics() for name, one in chosen.by(attribute).items()}
            for key, attribute in known.items()
        }
        confused = [[*pair, n] for pair, n in chosen.confusions().most_common()]
        found = chosen.metrics() | groups | dict(confusions=confused)
        return json.dumps(found, indent=1, ensure_ascii=False)
    tables = [sign_score_table(scores)]
    if dumped:
        tables.append(sign_group_table('signer', chosen.by('signer')))
    tables.append(sign_group_table('sign', chosen.by('reference')))
    if false := SignScores(tuple(chosen.idle)).taken_for:
        tables.append(f'believed in idle clips: {false}')
    return '\n\n'.join(tables)


def read_signs(args: argparse.Namespace, cleanup: str) -> SignScores:
    """The signs of two text files."""
    clips = []
    for number, lines in enumerate(zip(*read_pair(args)), 1):
        reference, ranked = (
            [' '.join(clean_glosses([gloss], cleanup)) for gloss in split_text(line)]
            for line in lines
        )
        if len(reference) > 1:
            raise DataError(
                f'{args.ref}, line {number}: {len(reference)} glosses; expected the '
                "clip's one sign, or nothing for an idle clip"
            )
        ranked = tuple(dict.fromkeys(ranked))
        clips.append(SignClip(*reference or [''], ranked, bool(ranked)))
    return SignScores(tuple(clips))


def export(args: argparse.Namespace) -> str:
    """Write a CTM or STM file from a dump of predictions."""
    check_outputs([args.out], [args.dump], ['.ctm', '.stm'])
    records = read_predictions(args.dump)
    export_predictions(records, args.out, args.output, args.fps)
    return f'{args.out}: {len(records)} clips'


def frame_rate(text: str) -> float:
    """Frames per second."""
    if not 0.1 <= float(text) <= 1000:
        raise argparse.ArgumentTypeError(f'{text} is not 0.1 to 1000')
    return float(text)


def add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('ref', metavar='REF', help='references')
    parser.add_argument('hyp', metavar='HYP', help='hypotheses')


def add_protocol(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--corpus',
        choices=CLEANUP_OF_CORPUS,
        help='clean both sides as this corpus prescribes (default: none, with '
        f'--protocol {OFFICIAL_CORPUS})',
    )
    parser.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        help="paper (default): whole sentences of both sides; official: Phoenix-2014's "
        'evaluation script, the hypothesis word by word, the reference as it is',
    )


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    measures = parser.add_subparsers(dest='measure', required=True)
    wer = measures.add_parser(
        'wer', help="word error rate with NIST sclite's alignment costs"
    )
    add_files(wer)
    add_protocol(wer)
    wer.add_argument(
        '--costs',
        choices=COSTS,
        default=COSTS[0],
        help='levenshtein: at unit costs as well, by jiwer (default: %(default)s)',
    )
    wer.add_argument(
        '--verify-sclite',
        action='store_true',
        help='run the installed NIST sclite as well and fail if its counts differ',
    )
    wer.add_argument(
        '--train-signers',
        nargs='*',
        metavar='NAME',
        help='who is trained on: it is said if REF.stm names one of them',
    )
    wer.add_argument('--json', action='store_true', help='print the counts as JSON')
    wer.set_defaults(run=score_wer)

    bleu = measures.add_parser('bleu', help='BLEU-1 to 4, ROUGE-L and chrF')
    add_files(bleu)
    bleu.add_argument(
        '--lang',
        choices=LEVEL_OF_LANGUAGE,
        required=True,
        help='de: words, no further tokenisation; zh: characters',
    )
    bleu.add_argument('--json', action='store_true', help='print the scores as JSON')
    bleu.set_defaults(run=score_bleu)

    align = measures.add_parser('align', help='alignments and confusions to read')
    add_files(align)
    add_protocol(align)
    align.add_argument('--limit', type=int, metavar='N', help='only N sentences')
    align.add_argument(
        '--sort',
        choices=('order', 'wer'),
        default='order',
        help='as in the files (default), or the worst sentences first',
    )
    align.set_defaults(run=show_alignments)

    signs = measures.add_parser('signs', help='accuracy of single signs')
    signs.add_argument('ref', metavar='DUMP|REF', help='a .jsonl dump, or references')
    signs.add_argument('hyp', metavar='HYP', nargs='?', help='with REF: what was read')
    signs.add_argument('--output', default='average', help='of a dump (%(default)s)')
    signs.add_argument(
        '--corpus',
        choices=CLEANUP_OF_CORPUS,
        default='none',
        help='clean the glosses as this corpus prescribes (default: %(default)s)',
    )
    signs.add_argument('--json', action='store_true', help='print the scores as JSON')
    signs.set_defaults(run=score_signs)

    out = measures.add_parser('export', help='a CTM or STM file from predictions')
    out.add_argument('dump', metavar='DUMP', help='.jsonl that a metric has written')
    out.add_argument('out', metavar='OUT', help='file to write, .ctm or .stm')
    out.add_argument('--output', default='average', help='of the model (%(default)s)')
    out.add_argument(
        '--fps', type=frame_rate, default=25.0, help='frames per second (%(default)s)'
    )
    out.set_defaults(run=export)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run; a DataError for input that cannot be scored or is scored differently."""
    args = parse_args(argv)
    print(args.run(args))


if __name__ == '__main__':
    with reported_errors(2):
        main()
