"""Compute pooled features once, to train translation from.

    python tools/extract_features.py CONFIG CHECKPOINT OUT [--shard I/N] [options]

CONFIG is a recognizer's or a translator's with a pipeline that loads frames or
keypoints; CHECKPOINT a trained recognizer. OUT is one file for all splits; clips are
prepared as in testing. Work is kept in OUT.parts, in files of some hundred clips: an
interrupted run goes on where it was. Several processes or machines with a common
folder share the work with ``--shard 0/4`` … ``--shard 3/4``; whichever finishes last
joins the parts. ``--views N`` adds N random views of every training clip, prepared as
in training, for ``LoadFeatures(views=N)``.
"""

from __future__ import annotations

import argparse
import shutil
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate, worker_init_fn
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, Subset

from mmsign.datasets.io.feature_file import (
    ClipFeatures,
    FeatureFile,
    join_features,
    view_id,
    write_features,
)
from mmsign.engine.launch import (
    add_common_arguments,
    check_data_roots,
    has_clips,
    interruptible,
    load_config,
    prepare,
    reported_errors,
    resolve_vocabulary,
    say,
)
from mmsign.errors import ConfigError, DataError
from mmsign.files import check_outputs
from mmsign.registry import DATASETS, MODELS


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint of the recognizer')
    parser.add_argument('out', type=Path, help='feature file to write')
    parser.add_argument(
        '--splits',
        nargs='+',
        help='of the corpus (default: train, dev and test, but those without clips)',
    )
    parser.add_argument(
        '--shard', default='0/1', metavar='I/N', help='part of the work'
    )
    parser.add_argument(
        '--views', type=int, default=0, help='random views of every training clip'
    )
    parser.add_argument('--batch-size', type=int, default=1, help='clips at once')
    parser.add_argument(
        '--part-size', type=int, default=200, help='clips per file of OUT.parts'
    )
    add_common_arguments(parser)
    return parser.parse_args(arguments)


def shard_of(text: str) -> tuple[int, int]:
    """``I/N`` as numbers.

    Raises:
        ConfigError: it is something else.
    """
    try:
        index, count = map(int, text.split('/'))
    except ValueError:
        index, count = 0, 0
    if not 0 <= index < count:
        raise ConfigError(f'--shard takes I/N with 0 <= I < N, not {text!r}')
    return index, count


def build_recognizer(cfg: Config, checkpoint: str) -> torch.nn.Module:
    """The recognizer of a config, with the checkpoint's weights, for evaluation."""
    from mmsign.models.recognizers.stream import is_auxiliary
    from mmsign.models.weights import load_weights

    model = cfg.model
    if 'recognizer' in model:
        model = model.recognizer | dict(vocab=model.vocab)
    recognizer = MODELS.build(model)
    if not hasattr(recognizer, 'pool'):
        raise ConfigError(f'{model["type"]} is no recognizer to extract features with')
    load_weights(
        recognizer,
        checkpoint,
        'the recognizer',
        optional=is_auxiliary,
        glosses=recognizer.vocab,
    )
    return recognizer.to(get_device()).eval()


def splits_with_clips(cfg: Config) -> list[str]:
    """The corpus' splits but those that it does not have."""
    test = cfg.test_dataloader.dataset
    splits = 'train', 'dev', 'test'
    return [split for split in splits if has_clips(test | dict(split=split))]


def build_dataset(cfg: Config, split: str, view: int = 0):
    """A split, prepared as in testing; a view of it as in training."""
    loader = cfg.train_dataloader if view else cfg.test_dataloader
    return DATASETS.build(loader.dataset | dict(split=split))


@torch.no_grad()
def features_of(
    recognizer: torch.nn.Module, batch: dict, view: int = 0
) -> dict[str, ClipFeatures]:
    """Features of a batch by name in the file; only the valid steps', and those at the
    ends that a head needs."""
    from mmsign.models.heads.gloss_head import needed_rows, output_steps

    data = recognizer.data_preprocessor(batch)
    frames = next(iter(data['inputs'].values())).shape[2]
    pooled = recognizer.pooled(data['inputs'])
    heads = {name: stream.head for name, stream in recognizer.streams.items()}
    found = {}
    for row, sample in enumerate(data['data_samples']):
        streams = {}
        for stream, values in pooled.items():
            steps = output_steps(heads[stream], values.shape[1])
            rows = needed_rows(heads[stream], sample.length * steps // frames)
            streams[stream] = values[row, :rows].float().cpu().numpy()
        found[view_id(sample.clip_id, view)] = ClipFeatures(
            streams, sample.frame_indices, sample.num_frames
        )
    return found


def finished_clips(parts: Path, network: str) -> set[str]:
    """Clips that are in the parts already.

    Raises:
        DataError: a part was computed by another network.
    """
    done: set[str] = set()
    for path in sorted(parts.glob('*.safetensors')):
        file = FeatureFile(path)
        if file.network != network:
            raise DataError(
                f'{path} was computed by another network: remove {parts} to start '
                'anew, or write to another file'
            )
        done.update(file.clip_ids)
    return done


def extract(recognizer, dataset, view, wanted, parts: Path, args, network) -> None:
    """Compute the clips ``wanted`` of a dataset, a part at a time."""
    name = f'{dataset.split}{view or ""}-{args.shard.replace("/", "of")}'
    for start in range(0, len(wanted), args.part_size):
        chosen = wanted[start : start + args.part_size]
        # Other views of a clip, and other clips, draw other random numbers.
        seed = 1_000_000 * view + chosen[0]
        loader = DataLoader(
            Subset(dataset, chosen),
            args.batch_size,
            num_workers=2,
            collate_fn=pseudo_collate,
            worker_init_fn=partial(worker_init_fn, num_workers=2, rank=0, seed=seed),
        )
        clips: dict[str, ClipFeatures] = {}
        for batch in loader:
            clips |= features_of(recognizer, batch, view)
        write_features(parts / f'{name}-{min(clips)}.safetensors', clips, network)
        kind = f'{dataset.split}, view {view}' if view else dataset.split
        say(f'{kind}: {start + len(chosen)} of {len(wanted)} clips')


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    shard, shards = shard_of(args.shard)
    cfg = load_config(args.config)
    prepare(cfg, args)
    check_data_roots(cfg, ('test_dataloader',))
    resolve_vocabulary(cfg, args.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmsign'))
    recognizer = build_recognizer(cfg, args.checkpoint)
    from mmsign.models.translators.sign_translator import fingerprint

    network = fingerprint(recognizer)
    passes = []
    for split in args.splits or splits_with_clips(cfg):
        for view in range(1 + (args.views if split == 'train' else 0)):
            dataset = build_dataset(cfg, split, view)
            names = [
                view_id(dataset.get_data_info(i)['clip_id'], view)
                for i in range(len(dataset))
            ]
            passes.append((dataset, view, names))
    everything = {name for _, _, names in passes for name in names}
    read = {file for dataset, _, _ in passes for file in dataset.corpus_files()}
    check_outputs([args.out], [args.config, args.checkpoint, *read], ['.safetensors'])
    if args.out.is_file():
        file = FeatureFile(args.out)
        if file.network == network and everything <= set(file.clip_ids):
            print(f'{args.out} is complete')
            return
    parts = args.out.with_name(f'{args.out.name}.parts')
    parts.mkdir(parents=True, exist_ok=True)
    done = finished_clips(parts, network)
    with interruptible(lambda: 'the same command goes on'):
        for dataset, view, names in passes:
            mine = [i for i in range(shard, len(names), shards) if names[i] not in done]
            extract(recognizer, dataset, view, mine, parts, args, network)
    missing = everything - finished_clips(parts, network)
    if missing:
        print(f'{len(missing)} clips are left to the other shards')
        return
    join_features(sorted(parts.glob('*.safetensors')), args.out)
    shutil.rmtree(parts, ignore_errors=True)
    print(f'{args.out}: {len(everything)} clips, network {network}')


if __name__ == '__main__':
    with reported_errors():
        main()
