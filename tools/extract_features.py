"""Compute pooled features once, to train translation from.

    python tools/extract_features.py CONFIG CHECKPOINT OUT [--shard I/N] [options]

CONFIG is a recognizer's or a translator's with a pipeline that loads frames or
keypoints; CHECKPOINT a trained recognizer. OUT is one file for all splits; clips are
prepared as in testing. Work is kept in OUT.parts, in files of some hundred clips: an
interrupted run goes on where it was. Several processes or machines with a common
folder share the work with ``--shard 0/4`` … ``--shard 3/4``; whichever finishes last
joins the parts.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader, Subset

from mmsign.datasets.feature_file import (
    ClipFeatures,
    FeatureFile,
    FeatureFileError,
    join_features,
    write_features,
)
from mmsign.launch import (
    LaunchError,
    add_common_arguments,
    check_data_roots,
    load_config,
    prepare,
    reported_errors,
    resolve_vocabulary,
)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint of the recognizer')
    parser.add_argument('out', type=Path, help='feature file to write')
    parser.add_argument(
        '--splits', nargs='+', default=['train', 'dev', 'test'], help='of the corpus'
    )
    parser.add_argument(
        '--shard', default='0/1', metavar='I/N', help='part of the work'
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
        LaunchError: it is something else.
    """
    try:
        index, count = map(int, text.split('/'))
    except ValueError:
        index, count = 0, 0
    if not 0 <= index < count:
        raise LaunchError(f'--shard takes I/N with 0 <= I < N, not {text!r}')
    return index, count


def build_recognizer(cfg: Config, checkpoint: str) -> torch.nn.Module:
    """The recognizer of a config, with the checkpoint's weights, for evaluation."""
    from mmsign.models.layers.part_checkpoint import load_part
    from mmsign.models.streams import is_training_only

    model = cfg.model
    if 'recognizer' in model:
        model = model.recognizer | dict(vocab=model.vocab)
    recognizer = MODELS.build(model)
    if not hasattr(recognizer, 'pool'):
        raise LaunchError(f'{model["type"]} is no recognizer to extract features with')
    load_part(
        recognizer,
        checkpoint,
        '',
        'the recognizer',
        glosses=recognizer.vocab,
        optional=is_training_only,
    )
    return recognizer.to(get_device()).eval()


def build_dataset(cfg: Config, split: str):
    """A split, prepared as in testing."""
    return DATASETS.build(cfg.test_dataloader.dataset | dict(split=split))


@torch.no_grad()
def features_of(recognizer: torch.nn.Module, batch: dict) -> dict[str, ClipFeatures]:
    """Features of a batch by clip id; only the valid steps."""
    data = recognizer.data_preprocessor(batch)
    frames = next(iter(data['inputs'].values())).shape[2]
    pooled = recognizer.pool(recognizer.encode(data['inputs']))
    found = {}
    for row, sample in enumerate(data['data_samples']):
        streams = {}
        for stream, values in pooled.items():
            steps = sample.length * values.shape[1] // frames
            streams[stream] = values[row, :steps].float().cpu().numpy()
        found[sample.clip_id] = ClipFeatures(
            streams, sample.frame_indices, sample.num_frames
        )
    return found


def finished_clips(parts: Path, network: str) -> set[str]:
    """Clips that are in the parts already.

    Raises:
        FeatureFileError: a part was computed by another network.
    """
    done: set[str] = set()
    for path in sorted(parts.glob('*.safetensors')):
        file = FeatureFile(path)
        if file.network != network:
            raise FeatureFileError(
                f'{path} was computed by another network: remove {parts} to start '
                'anew, or write to another file'
            )
        done |= file.clip_ids
    return done


def extract(recognizer, dataset, wanted: list[int], parts: Path, args, network) -> None:
    """Compute the clips ``wanted`` of a dataset, a part at a time."""
    name = f'{dataset.split}-{args.shard.replace("/", "of")}'
    for start in range(0, len(wanted), args.part_size):
        chosen = wanted[start : start + args.part_size]
        loader = DataLoader(
            Subset(dataset, chosen),
            args.batch_size,
            num_workers=2,
            collate_fn=pseudo_collate,
        )
        clips: dict[str, ClipFeatures] = {}
        for batch in loader:
            clips |= features_of(recognizer, batch)
        write_features(parts / f'{name}-{min(clips)}.safetensors', clips, network)
        print(f'{dataset.split}: {start + len(chosen)} of {len(wanted)} clips')


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    shard, shards = shard_of(args.shard)
    cfg = load_config(args.config)
    prepare(cfg, args)
    check_data_roots(cfg, ('test_dataloader',))
    resolve_vocabulary(cfg, args.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    recognizer = build_recognizer(cfg, args.checkpoint)
    from mmsign.models.translators.pooled_features import fingerprint

    network = fingerprint(recognizer)
    if args.out.is_file() and FeatureFile(args.out).network == network:
        print(f'{args.out} is complete')
        return
    parts = args.out.with_name(f'{args.out.name}.parts')
    parts.mkdir(parents=True, exist_ok=True)
    done = finished_clips(parts, network)
    everything: set[str] = set()
    for split in args.splits:
        dataset = build_dataset(cfg, split)
        ids = [dataset.get_data_info(i)['clip_id'] for i in range(len(dataset))]
        everything |= set(ids)
        mine = [i for i in range(shard, len(ids), shards) if ids[i] not in done]
        extract(recognizer, dataset, mine, parts, args, network)
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
