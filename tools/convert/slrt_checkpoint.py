"""Convert the paper authors' checkpoints into mmsign's, and back.

``--help`` and docs/checkpoints.md say how.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from _slrt_arguments import OUTPUTS, TRANSLATION_ONLY, parse_args
from mmengine.config import Config
from torch import Tensor

import mmsign
from mmsign import compat
from mmsign.engine.launch import load_config, reported_errors
from mmsign.errors import ConfigError
from mmsign.files import check_outputs
from mmsign.interop import slrt_checkpoint as slrt
from mmsign.interop.slrt_checkpoint import check_class_count, read_checkpoint_vocabulary
from mmsign.interop.slrt_corpus import is_pickle, read_numbering
from mmsign.interop.slrt_names import slrt_to_translation
from mmsign.interop.slrt_network import backbone_config, class_counts, recognizer_config
from mmsign.interop.slrt_translation import (
    convert_translation,
    gloss_order,
    place_in_translator,
    read_gloss_rows,
    to_slrt_translation,
)
from mmsign.interop.vac_checkpoint import convert_vac, is_vac_state
from mmsign.models.recognizers.stream import is_auxiliary
from mmsign.registry import DATASETS, MODELS
from mmsign.text.vocabulary import MODEL_FILE, TextVocabulary
from mmsign.vocab import GLOSSES_KEY, GlossVocabulary

# In the meta of a converted translator: what moves its rows back.
RECORD_KEY = 'slrt_translation'


def shapes_of(config: Mapping) -> dict[str, Tensor]:
    """State dict of the part that ``config`` describes, without its values."""
    with torch.device('meta'):
        return dict(MODELS.build(dict(config)).state_dict())


def convert_backbone(converted: slrt.Converted, args: argparse.Namespace) -> dict:
    """A backbone alone; prints what was used and returns the checkpoint."""
    if args.config or args.vocab:
        raise ConfigError(
            f'{args.src} is a backbone alone: it has no classes and fits every config; '
            'leave out --config and --vocab'
        )
    config = backbone_config(converted.tensors)
    state = fitted(args, converted, shapes_of(config), config['type'])
    return dict(meta=meta(args), state_dict=state)


def convert_recognizer(source: dict[str, Tensor], args: argparse.Namespace) -> dict:
    """A whole recognizer; prints what was used and returns the checkpoint."""
    given = [name for name in TRANSLATION_ONLY if getattr(args, name)]
    if given:
        raise ConfigError(
            f'{args.src} has no translation network: leave out '
            f'--{given[0].replace("_", "-")}'
        )
    is_vac = is_vac_state(source)
    if is_vac and not args.config:
        raise ConfigError(
            f'{args.src} does not say where its head pools: pass --config, one of '
            'configs/recipes/, say'
        )
    converted = convert_vac(source) if is_vac else slrt.convert_recognizer(source)
    if args.backbone:
        return convert_backbone(slrt.select_backbone(converted, args.backbone), args)
    if args.config:
        cfg = load_config(args.config)
    else:
        cfg = Config(dict(model=recognizer_config(converted.tensors)))
    vocab = vocabulary(cfg, class_counts(converted.tensors), args)
    state = fitted(args, converted, shapes_of(cfg.model))
    return dict(meta=meta(args) | described(cfg, vocab, args), state_dict=state)


def described(cfg: Config, vocab: GlossVocabulary, args: argparse.Namespace) -> dict:
    """The entries of meta that let a checkpoint be built; writes --write-config."""
    if args.write_config:
        cfg.dump(args.write_config)
        print(f'wrote {args.write_config}')
    result = {GLOSSES_KEY: list(vocab.glosses)}
    # Without --config the network of a translator is not known.
    return result | ({'cfg': cfg.pretty_text} if 'type' in cfg.model else {})


def convert_translator(source: dict[str, Tensor], args: argparse.Namespace) -> dict:
    """A translator, or an mBART pretrained on glosses, likewise."""
    if args.gloss_rows is None:
        raise ConfigError(
            f'{args.src} has a gloss embedding but not the names of its rows: pass '
            '--gloss-rows with the gloss2ids.pkl that lies with its mBART'
        )
    recognition = slrt.convert_recognizer(
        {k: v for k, v in source.items() if not slrt_to_translation(k)}
    )
    cfg = load_config(args.config) if args.config else Config(dict(model={}))
    vocab = vocabulary(cfg, class_counts(recognition.tensors), args)
    theirs = read_gloss_rows(args.gloss_rows)
    rows, unknown = gloss_order(theirs, vocab, args.gloss_language)
    text_ids = read_numbering(args.text_ids, int) if args.text_ids else None
    head, record = convert_translation(source, rows, text_ids)
    whole = any(name.startswith('mapper.') for name in head.tensors)
    pretrained = {n: v for n, v in head.tensors.items() if n.startswith('mbart.')}
    if whole:
        if args.output is None:
            raise ConfigError(
                f'{args.src} translates from one output of its recognizer and does '
                f'not say from which: pass --output {{{",".join(OUTPUTS)}}}'
            )
        filler = recognizer_tensors(args.recognizer) if args.recognizer else {}
        converted = place_in_translator(head, args.output, recognition, filler)
    elif args.output or args.recognizer or args.translation_output:
        raise ConfigError(
            f'{args.src} is an mBART alone, without mapper: leave out --output, '
            '--recognizer and --translation-output'
        )
    else:
        converted = head
    target = MODELS.build(cfg.model).state_dict() if args.config else None
    state = fitted(args, converted, target)
    for gloss in unknown:
        print(f'  no row for the gloss {gloss}: it has that of <unk>')
    names = {row: name for name, row in theirs.items()}
    for row in record['other_rows']:
        print(f'  not used: row {row} of the gloss embedding ({names.get(row, "?")})')
    if args.text_vocabulary:
        write_text_vocabulary(args.text_vocabulary, sorted(text_ids))
    about = meta(args) | described(cfg, vocab, args) | {RECORD_KEY: record}
    if args.translation_output:
        compat.write_checkpoint(
            dict(meta=about, state_dict=pretrained), args.translation_output
        )
        print(f'wrote {args.translation_output}')
    return dict(meta=about, state_dict=state)


def recognizer_tensors(path: str) -> dict[str, Tensor]:
    """A recognizer's tensors under our names, from their file or ours."""
    state = slrt.read_state(path)
    if any(slrt.is_slrt_name(name) for name in state):
        return slrt.convert_recognizer(state).tensors
    return state


def write_text_vocabulary(folder: str, kept: list[int]) -> None:
    """Write which ids of ``folder``'s sentencepiece model a pruned mBART keeps."""
    model = Path(folder, MODEL_FILE)
    if not model.is_file():
        raise FileNotFoundError(
            f'no {model}: put the sentencepiece model of mBART there'
        )
    TextVocabulary(model.read_bytes(), kept, str(folder)).save(folder)
    print(f'wrote the text vocabulary in {folder}')


def vocabulary(
    cfg: Config, classes: Mapping[str, int], args: argparse.Namespace
) -> GlossVocabulary:
    """The glosses of the classes, checked against SRC and written into ``cfg``."""
    if args.vocab is None:
        count = max(classes.values(), default='some')
        raise ConfigError(
            f'{args.src} has {count} classes but not their glosses: pass --vocab with '
            'the gloss2ids.pkl of its data, or a text file with one gloss a line; '
            '--backbone needs none'
        )
    vocab = read_vocabulary(cfg, args)
    if classes:
        check_class_count(vocab, classes, args.vocab, args.src)
    cfg.model.vocab = dict(glosses=list(vocab.glosses))
    if vocab.aliases:
        cfg.model.vocab.aliases = vocab.aliases
    return vocab


def read_vocabulary(cfg: Config, args: argparse.Namespace) -> GlossVocabulary:
    """The vocabulary of --vocab, spelled as the corpus of --data-root does."""
    if args.data_root is None:
        return read_checkpoint_vocabulary(args.vocab)
    described = cfg.model.get('vocab') or {}
    if 'dataset' not in described or not is_pickle(args.vocab):
        raise ConfigError(
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


def fitted(
    args: argparse.Namespace,
    converted: slrt.Converted,
    target: Mapping[str, Tensor] | None,
    network: str = 'the network',
) -> dict[str, Tensor]:
    """The state to save; says of every tensor on both sides what became of it.

    Args:
        target: State dict of the network; None if it is not known.
    """
    state, unused, unfilled = converted.tensors, converted.left_out, {}
    if target is not None:
        state, unused, unfilled = slrt.fit(
            converted,
            target,
            lambda name: is_auxiliary(name.removeprefix('recognizer.')),
            args.config or network,
            args.src,
        )
    total = len(converted.tensors) + len(converted.left_out)
    used = sum(bool(converted.sources.get(name)) for name in state)
    print(f'{args.src}: {used} of {total} tensors used, {len(unused)} not used')
    for name, reason in unused.items():
        print(f'  not used: {name} ({reason})')
    other = len(state) - used - sum(name in state for name in unfilled)
    others = f', {other} tied or taken from elsewhere' if other else ''
    print(f'{args.dst}: {used} tensors filled{others}, {len(unfilled)} not filled')
    for name, reason in unfilled.items():
        print(f'  not filled: {name} ({reason})')
    return state


def reverse_translator(source: dict[str, Tensor], args: argparse.Namespace) -> dict:
    """A translator or a pretrained mBART under the authors' names."""
    about = compat.load_checkpoint(args.src, mmap=True).get('meta') or {}
    head, recognizer, outputs = {}, {}, set()
    for name, value in source.items():
        if name.startswith('translation.'):
            _, output, rest = name.split('.', 2)
            outputs.add(output)
            head[rest] = value
        elif name.startswith('recognizer.'):
            recognizer[name.removeprefix('recognizer.')] = value
        else:
            head[name] = value
    if len(outputs) > 1:
        raise ConfigError(
            f"{args.src} translates from {', '.join(sorted(outputs))}; the authors' "
            'files hold one translation network each'
        )
    result = slrt.to_slrt(recognizer)
    result |= to_slrt_translation(head, about.get(RECORD_KEY))
    print(f'{args.dst}: {len(result)} tensors')
    return dict(model_state=result)


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
            raise ConfigError(f'{args.src} has no {args.backbone} stream')
    if all(name.startswith('blocks.') for name in source):
        result = slrt.to_published_s3d(source)
        print(f'{args.dst}: {len(result)} tensors of an S3D; no classifier (fc)')
        return result
    if any(name.startswith(('translation.', 'mbart.')) for name in source):
        return reverse_translator(source, args)
    result = slrt.to_slrt(source)
    print(
        f'{args.dst}: {len(source)} tensors, {len(result) - len(source)} position '
        'tables computed'
    )
    return dict(model_state=result)


def run(args: argparse.Namespace) -> None:
    """Read SRC, convert it and write DST."""
    written = (args.dst, args.write_config, args.translation_output)
    read = (args.src, args.config, args.vocab, args.recognizer, args.gloss_rows)
    check_outputs(written, (*read, args.text_ids))
    source = slrt.read_state(args.src)
    if args.reverse:
        checkpoint = reverse(source, args)
    elif slrt.is_s3d_state(source):
        if args.backbone:
            raise ConfigError(
                f'{args.src} is an S3D alone, of no stream yet: leave out --backbone'
            )
        checkpoint = convert_backbone(slrt.convert_s3d(source), args)
    elif any(map(slrt_to_translation, source)) and not args.backbone:
        checkpoint = convert_translator(source, args)
    elif not is_vac_state(source) and not any(map(slrt.is_slrt_name, source)):
        raise ConfigError(
            f"{args.src} has none of the names of the authors' checkpoints (first: "
            f"{next(iter(source))}); mmsign's own are converted with --reverse"
        )
    else:
        checkpoint = convert_recognizer(source, args)
    compat.write_checkpoint(checkpoint, args.dst)
    print(f'wrote {args.dst}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run; ends with status 2 for files that cannot be converted."""
    args = parse_args(argv)
    with reported_errors(status=2):
        run(args)


if __name__ == '__main__':
    main()
