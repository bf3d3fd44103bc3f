"""Convert the paper authors' checkpoints into mmsign's, and back.

    python tools/convert/slrt_checkpoint.py SRC DST --vocab gloss2ids.pkl [--config …]
    python tools/convert/slrt_checkpoint.py S3D_kinetics400_weights DST
    python tools/convert/slrt_checkpoint.py MMSIGN_CHECKPOINT DST --reverse

See docs/checkpoints.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from torch import Tensor

import mmsign
from mmsign import compat
from mmsign.interop import slrt_checkpoint as slrt
from mmsign.interop.slrt_network import (
    STREAMS,
    class_counts,
    recognizer_config,
    s3d_config,
)
from mmsign.interop.slrt_vocabulary import (
    check_class_count,
    is_vocabulary_pickle,
    read_checkpoint_vocabulary,
)
from mmsign.launch import LaunchError, load_config
from mmsign.launch.errors import is_users_mistake, message_of
from mmsign.launch.preparation import GLOSS_VOCABULARY_KEY
from mmsign.models.layers.positions import sinusoid
from mmsign.models.streams import is_training_only
from mmsign.vocab import GlossVocabulary


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
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
    parser.add_argument(
        '--backbone',
        choices=STREAMS,
        help="write only the S3D of this stream, for a backbone's pretrained=",
    )
    parser.add_argument(
        '--reverse',
        action='store_true',
        help="from mmsign's names to the authors'",
    )
    args = parser.parse_args(argv)
    forward_only = ('config', 'vocab', 'data_root', 'write_config')
    given = [name for name in forward_only if getattr(args, name)]
    if args.reverse and given:
        parser.error(f'--reverse does not take --{given[0].replace("_", "-")}')
    if args.data_root and not (args.config and args.vocab):
        parser.error('--data-root spells the glosses of --vocab as --config says')
    if args.write_config and not args.config:
        parser.error('--write-config writes what --config names, with the vocabulary')
    return args


def shapes_of(config: Mapping) -> dict[str, Tensor]:
    """State dict of the part that ``config`` describes, without its values."""
    with torch.device('meta'):
        return dict(MODELS.build(dict(config)).state_dict())


def convert_s3d(converted: slrt.Converted, args: argparse.Namespace) -> dict:
    """An S3D alone; prints what was used and returns the checkpoint."""
    if args.config or args.vocab:
        raise LaunchError(
            f'{args.src} is a backbone alone: it has no classes and fits every config; '
            'leave out --config and --vocab'
        )
    target = shapes_of(s3d_config(converted.tensors))
    state, unused, unfilled = slrt.fit(converted, target, network='S3D')
    report(args, converted, state, unused, unfilled)
    return dict(meta=meta(args), state_dict=state)


def convert_recognizer(source: dict[str, Tensor], args: argparse.Namespace) -> dict:
    """A whole recognizer; prints what was used and returns the checkpoint."""
    converted = slrt.convert_recognizer(source, sinusoid)
    if args.backbone:
        return convert_s3d(slrt.select_backbone(converted, args.backbone), args)
    own = recognizer_config(converted.tensors)
    classes = class_counts(converted.tensors)
    if args.vocab is None:
        raise LaunchError(
            f'{args.src} has {max(classes.values())} classes but not their glosses: '
            'pass --vocab with the gloss2ids.pkl of its data, or a text file with one '
            'gloss a line; --backbone needs none'
        )
    cfg = load_config(args.config) if args.config else Config(dict(model=own))
    vocab = vocabulary(cfg, args)
    check_class_count(vocab, classes, args.vocab, args.src)
    cfg.model.vocab = dict(glosses=list(vocab.glosses))
    if vocab.aliases:
        cfg.model.vocab.aliases = vocab.aliases
    target = shapes_of(cfg.model)
    state, unused, unfilled = slrt.fit(
        converted, target, is_training_only, args.config or 'the network'
    )
    report(args, converted, state, unused, unfilled)
    if args.write_config:
        cfg.dump(args.write_config)
        print(f'wrote {args.write_config}')
    glosses = {GLOSS_VOCABULARY_KEY: list(vocab.glosses), 'cfg': cfg.pretty_text}
    return dict(meta=meta(args) | glosses, state_dict=state)


def vocabulary(cfg: Config, args: argparse.Namespace) -> GlossVocabulary:
    """The glosses of the classes, spelled as the corpus does if it is named."""
    if args.data_root is None:
        return read_checkpoint_vocabulary(args.vocab)
    described = cfg.model.get('vocab') or {}
    if 'dataset' not in described or not is_vocabulary_pickle(args.vocab):
        raise LaunchError(
            f'--data-root needs a config whose model.vocab names a dataset, and a '
            f"pickle in --vocab: {args.config} has {dict(described)}, a text's glosses "
            'are taken as they are'
        )
    sentences = DATASETS.get(described['dataset']).training_glosses(
        args.data_root, described.get('ann_file')
    )
    spellings = (gloss for sentence in sentences for gloss in sentence)
    return read_checkpoint_vocabulary(args.vocab, spellings)


def meta(args: argparse.Namespace) -> dict:
    """Where the file comes from."""
    return dict(mmsign_version=mmsign.__version__, converted_from=Path(args.src).name)


def report(
    args: argparse.Namespace,
    converted: slrt.Converted,
    state: Mapping[str, Tensor],
    unused: Mapping[str, str],
    unfilled: Mapping[str, str],
) -> None:
    """Say of every tensor on both sides what became of it."""
    total = len(converted.tensors) + len(converted.left_out)
    used = sum(name in converted.sources for name in state)
    print(f'{args.src}: {used} of {total} tensors used, {len(unused)} not used')
    for name, reason in unused.items():
        print(f'  not used: {name} ({reason})')
    print(f'{args.dst}: {used} tensors filled, {len(unfilled)} not filled')
    for name, reason in unfilled.items():
        print(f'  not filled: {name} ({reason})')


def reverse(source: dict[str, Tensor], args: argparse.Namespace) -> dict:
    """From our names to theirs."""
    if args.backbone:
        prefix = f'{args.backbone}.backbone.'
        source = {
            name.removeprefix(prefix): value
            for name, value in source.items()
            if name.startswith(prefix)
        }
        if not source:
            raise LaunchError(f'{args.src} has no {args.backbone} stream')
    if all(name.startswith('blocks.') for name in source):
        result = slrt.to_published_s3d(source)
        print(f'{args.dst}: {len(result)} tensors of an S3D; no classifier (fc)')
        return result
    result = slrt.to_slrt(source, sinusoid)
    print(
        f'{args.dst}: {len(source)} tensors, {len(result) - len(source)} position '
        'tables computed'
    )
    return dict(model_state=result)


def run(args: argparse.Namespace) -> None:
    """Read SRC, convert it and write DST."""
    if Path(args.dst).exists() and Path(args.src).samefile(args.dst):
        raise LaunchError('SRC and DST are the same file')
    source = slrt.read_state(args.src)
    if args.reverse:
        checkpoint = reverse(source, args)
    elif slrt.is_s3d_state(source):
        if args.backbone:
            raise LaunchError(
                f'{args.src} is an S3D alone, of no stream yet: leave out --backbone'
            )
        checkpoint = convert_s3d(slrt.convert_s3d(source), args)
    elif not any(slrt.is_slrt_name(name) for name in source):
        raise LaunchError(
            f"{args.src} has none of the names of the authors' checkpoints (first: "
            f"{next(iter(source))}); mmsign's own are converted with --reverse"
        )
    else:
        checkpoint = convert_recognizer(source, args)
    compat.write_checkpoint(checkpoint, args.dst)
    print(f'wrote {args.dst}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0, or 2 for files that cannot be converted."""
    args = parse_args(argv)
    try:
        run(args)
    except Exception as error:
        if not is_users_mistake(error):
            raise
        print(f'slrt_checkpoint.py: {message_of(error)}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
