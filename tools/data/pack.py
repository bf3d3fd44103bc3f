"""Pack all frames of a corpus into one zip archive of JPEG images.

    python tools/data/pack.py phoenix2014T data/phoenix2014T data/phoenix2014T/pack.zip

Train from it with --cfg-options train_dataloader.dataset.frames=pack.zip, and so for
val and test. Frames larger than needed are shrunk; keypoints stay in pixels of the
original frames. Interrupted, it goes on where it stopped; OUT appears when all is done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context

from mmsign.errors import ConfigError, FrameReadError
from mmsign.files import check_outputs


def in_range(low: int, high: int, text: str) -> int:
    """An integer between two bounds, both allowed."""
    value = int(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f'expected {low} to {high}, got {text}')
    return value


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'corpus', metavar='CORPUS', help='a dataset: phoenix2014T, Phoenix2014Dataset …'
    )
    parser.add_argument('root', metavar='ROOT', help='its data_root')
    parser.add_argument('out', metavar='OUT.zip', help='the pack to write')
    parser.add_argument(
        '--splits', nargs='+', help='default: every split that has annotations'
    )
    parser.add_argument(
        '--frames', help='where the frames are, as in the dataset (default: its own)'
    )
    parser.add_argument(
        '--short-side',
        type=partial(in_range, 16, 4096),
        default=256,
        help='shrink frames whose shorter side is longer, in pixels (default: 256)',
    )
    parser.add_argument(
        '--quality',
        type=partial(in_range, 1, 100),
        default=95,
        help='of the JPEG images (default: 95)',
    )
    parser.add_argument(
        '--workers', type=partial(in_range, 1, 1024), default=2, help='processes'
    )
    args = parser.parse_args(arguments)
    if not args.out.lower().endswith('.zip'):
        parser.error(f'OUT must end in .zip, not {args.out}')
    return args


def dataset_class(name: str):
    """A dataset by its type or by its corpus's name, in any case of letters."""
    from mmsign.datasets import SignDataset
    from mmsign.registry import DATASETS

    known = {}
    for kind in DATASETS.module_dict.values():
        if issubclass(kind, SignDataset) and kind.METAINFO['dataset']:
            known[kind.__name__.lower()] = known[kind.METAINFO['dataset'].lower()] = (
                kind
            )
    if name.lower() not in known:
        raise ConfigError(
            f'unknown corpus {name!r}; one of: {", ".join(sorted(known))}'
        )
    return known[name.lower()]


def clips(args: argparse.Namespace) -> list[tuple[str, str]]:
    """(where a clip's frames are, its folder in the pack), each clip once."""
    kind = dataset_class(args.corpus)
    found = []
    missing = None
    for split in args.splits or kind.SPLITS:
        try:
            here, there = (
                kind(data_root=args.root, split=split, frames=frames)
                for frames in (args.frames, '/pack.zip')
            )
        except FileNotFoundError as error:
            if args.splits:
                raise
            missing = error
            continue
        for index in range(len(here)):
            folder = there.get_data_info(index)['frames'].partition('@')[2]
            found.append((here.get_data_info(index)['frames'], folder))
    if not found and missing is not None:
        raise missing
    return list(dict.fromkeys(found))


def encoded(specs: list[str], pack: Callable, workers: int) -> Iterator[list[bytes]]:
    """The images of the clips in order, encoded by several processes."""
    if workers == 1 or len(specs) < 2:
        yield from map(pack, specs)
        return
    with get_context('fork').Pool(workers, one_thread) as pool:
        yield from pool.imap(pack, specs)


def one_thread() -> None:
    """The processes share the cores; none needs more than one."""
    import cv2
    import torch

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    # Imported late: --help answers at once.
    import mmsign  # noqa: F401  registers the datasets
    from mmsign.datasets.io.packs import PackWriter, pack_clip
    from mmsign.engine.launch import say

    start = time.perf_counter()
    try:
        work = clips(args)
        check_outputs([args.out], [spec for spec, _ in work])
        options = dict(version=1, short_side=args.short_side, quality=args.quality)
        writer = PackWriter(args.out, options)
        left = [clip for clip in work if clip[1] not in writer.done]
        if len(left) < len(work):
            print(f'going on: {len(work) - len(left)} of {len(work)} clips are packed')
        pack = partial(pack_clip, short_side=args.short_side, quality=args.quality)
        packed = encoded([spec for spec, _ in left], pack, args.workers)
        frames = 0
        for number, ((_, folder), images) in enumerate(zip(left, packed), 1):
            writer.add(folder, images)
            frames += len(images)
            if number % 100 == 0:
                rate = frames / (time.perf_counter() - start)
                say(f'{number}/{len(left)} clips, {rate:.0f} frames/s')
        writer.finish()
    except FrameReadError as error:
        raise FrameReadError(
            f'{error}\nWhat is packed so far is kept: run the command again to go on'
        ) from error
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ConfigError(
            f'{args.out} cannot be written ({error.strerror}); run the command again '
            'to go on'
        ) from error
    rate = frames / (time.perf_counter() - start)
    print(
        f'{args.out}: {len(work)} clips, {frames} frames written, {rate:.0f} frames/s'
    )


if __name__ == '__main__':
    from mmsign.engine.launch import interruptible, reported_errors

    with reported_errors(), interruptible(lambda: 'the same command goes on'):
        main()
