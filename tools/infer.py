"""Recognize videos: ``python tools/infer.py VIDEO … --bundle FILE``.

The network: --bundle, or --config and --checkpoint. A network that looks at
keypoints needs --keypoints or --estimator.

Prints one line per clip, and writes with --out: ``.jsonl``, a record of each clip as
soon as it is recognized, with times, confidences, n-best and every output; ``.mp4``,
the clip with skeleton and glosses; ``.png``, what the network saw of the clip over the
probabilities of every output; ``.eaf``, tiers for ELAN of the glosses of every output,
their confidences and the sentence; ``.srt`` or ``.vtt``, subtitles of the sentence, or
where there is none, and in NAME.glosses.srt, of the glosses.

--single-signs N, for clips that show one sign or none, also lists the N most probable
signs, or says that it is none of these.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from _estimator import add_estimator_arguments, open_estimator

from mmsign.apis.outputs import KINDS, json_line, write_result
from mmsign.apis.skeletons import clips_of
from mmsign.engine.launch import interruptible, reported_errors, say
from mmsign.errors import ConfigError
from mmsign.files import LineWriter, check_outputs


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'videos',
        nargs='+',
        metavar='VIDEO',
        help='a video file, a folder of frames or ARCHIVE.zip@FOLDER; keypoints alone '
        'as FILE.safetensors, of all clips or @CLIP, or FILE.pose',
    )
    parser.add_argument('--config', help='config of the network')
    parser.add_argument('--checkpoint', help='its checkpoint')
    parser.add_argument(
        '--bundle', help='instead of both: a file of tools/export/bundle.py'
    )
    parser.add_argument(
        '--keypoints',
        nargs='+',
        metavar='FILE',
        help="one file per video, .json (MMPose's inferencer), .pose or .safetensors; "
        'or one .safetensors file that holds all by name',
    )
    add_estimator_arguments(parser)
    parser.add_argument('--out', metavar='FILE', help=' or '.join(KINDS))
    parser.add_argument(
        '--fps', type=float, help='of the videos, if not what their files say'
    )
    parser.add_argument('--device', help='cpu or cuda (default: a GPU if there is one)')
    parser.add_argument(
        '--fast',
        action='store_true',
        help='merged batch norms, and bfloat16 where the device has it',
    )
    parser.add_argument(
        '--batch-size', type=int, default=1, help='clips at once; may change glosses'
    )
    parser.add_argument('--beam-width', type=int, help="default: the config's")
    parser.add_argument('--n-best', type=int, default=5, help='sequences in the record')
    parser.add_argument(
        '--single-signs', type=int, default=0, metavar='N', help='the N best signs'
    )
    return parser.parse_args(arguments)


def line(result) -> str:
    """What is printed of one clip."""
    if result.error is not None:
        return f'error: {result.error}'
    glosses = ' '.join(
        f'{g.gloss}[{g.start:.2f}-{g.end:.2f}s {g.confidence:.2f}]'
        for g in result.glosses
    )
    lines = [f'{result.clip}: {glosses or "(nothing)"}']
    if (sign := result.single_sign) is not None:
        best = ', '.join(f'{name} {p:.2f}' for name, p in sign.n_best)
        none = '' if sign.accepted else 'none of these: '
        lines.append(f'  single sign: {none}{best or "nobody to be seen"}')
    if result.sentence is not None:
        lines.append(f'  {result.sentence}')
    lines += [f'  note: {notice}' for notice in result.notices]
    return '\n'.join(lines)


def build(args: argparse.Namespace):
    """The inferencer that the arguments describe."""
    # Imported late: --help and refusals answer at once.
    from mmsign.apis import SignInferencer

    return SignInferencer(
        args.config,
        args.checkpoint,
        args.bundle,
        device=args.device,
        beam_width=args.beam_width,
        n_best=args.n_best,
        fast=args.fast,
        estimator=open_estimator(args),
    )


def main(arguments: list[str] | None = None) -> list:
    """Recognize and write; returns the results."""
    args = parse_args(arguments)
    if args.single_signs < 0:
        raise ConfigError(f'--single-signs {args.single_signs}: expected 0 or more')
    read = [*args.videos, *(args.keypoints or ())]
    read += [args.config, args.checkpoint, args.bundle]
    read += [args.estimator, args.estimator_checkpoint]
    check_outputs([args.out], read, KINDS)
    args.videos = [clip for video in args.videos for clip in clips_of(video)]
    kind = Path(args.out).suffix.lower() if args.out else ''
    if kind not in ('', '.jsonl') and len(args.videos) > 1:
        raise ConfigError(f'--out {args.out} shows one clip; {len(args.videos)} given')
    keypoints = args.keypoints
    if keypoints is not None and len(keypoints) == 1:
        keypoints = keypoints[0] if len(args.videos) > 1 else keypoints
    inferencer = build(args)
    if kind not in ('', '.jsonl'):
        pose = None if keypoints is None else keypoints[0]
        signs = args.single_signs
        job = inferencer.preprocess(args.videos[0], pose, args.fps, single_signs=signs)
        inferencer.forward([job])
        result = inferencer.postprocess(job)
        say(line(result))
        write_result(args.out, result, inferencer.network, job)
        say(f'written: {args.out}')
        return [result]

    file = LineWriter(args.out) if kind == '.jsonl' else None

    def report(result) -> None:
        stream = sys.stdout if result.error is None else sys.stderr
        if file is not None:
            file.write(json_line(result))
            say(line(result), stream)
        else:  # what is printed is all there is: no reader, no work
            print(line(result), file=stream, flush=True)

    def done() -> str:
        return f'{file.count} of {len(args.videos)} clips are in {args.out}'

    with interruptible(done if file else None):
        results = inferencer(
            args.videos,
            keypoints,
            fps=args.fps,
            batch_size=args.batch_size,
            record_errors=True,
            progress=report,
            single_signs=args.single_signs,
        )
    if file is not None:
        say(f'written: {args.out}')
    return results


if __name__ == '__main__':
    with reported_errors():
        failed = any(result.error is not None for result in main())
    sys.exit(1 if failed else 0)
