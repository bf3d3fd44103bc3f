"""Live recognition against offline decoding: errors, memory, speed.

The clips of a split, in an order drawn anew each time round, are joined into streams
of some minutes. Printed are the word error rates, over the same reference,

* of offline decoding: each clip is read as tools/test.py reads it, and the
  hypotheses are put one after the other;
* of the streams read offline in one go, as if they were one clip (left out with
  --no-at-once: it takes memory in proportion to the stream);
* of the streams fed frame by frame to the live recognizer;

the delay with which glosses become final, the growth of the process while one stream
of --minutes runs without end, and the real-time factor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _report import show

from mmsign.apis import LiveRecognizer, SignInferencer
from mmsign.apis.clip_keypoints import selected
from mmsign.apis.windows import StreamFrame, WindowedNetwork
from mmsign.datasets import SignDataset, open_frames
from mmsign.datasets.io.keypoint_file import KeypointFile
from mmsign.engine.launch import reported_errors
from mmsign.evaluation.wer import count_word_errors
from mmsign.registry import DATASETS


def memory() -> float:
    """Resident megabytes of this process."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) / 1024
    raise OSError('this system does not say how much memory a process has')


def endless(dataset: SignDataset, seed: int) -> Iterator[dict]:
    """The clips over and over, each time in another order."""
    rng = np.random.default_rng(seed)
    while True:
        for index in rng.permutation(len(dataset)):
            yield dataset.get_data_info(int(index))


def frames_of(info: dict) -> Iterator[tuple]:
    """Frames of a clip with their keypoints."""
    source = open_frames(info['frames'])
    poses = KeypointFile.open(info['keypoint_file']).read(info['clip_id'])
    yield from zip(source.stream(np.arange(len(source))), poses, strict=True)


def read_at_once(inferencer: SignInferencer, items: list[tuple]) -> list[str]:
    """Glosses of (frame, keypoints) pairs in one run of the network."""
    pipeline, count = copy(inferencer.network.pipeline), len(items)
    pipeline.max_length = size = count + -count % pipeline.stride
    network = replace(inferencer.network, pipeline=pipeline)
    windows = WindowedNetwork(network, window=size, hop=size)
    frames = [StreamFrame(image, pose, image.shape[1::-1]) for image, pose in items]
    parts = list(map(windows.step, frames))
    parts = [part for part in (*parts, windows.end()) if part is not None]
    steps = torch.cat([part.log_probs['average'] for part in parts])
    vocab = network.model.vocab
    best = inferencer.search(steps[None], blank=vocab.blank_index)[0][0]
    return vocab.decode(best.ids)


def stream_errors(
    inferencer: SignInferencer,
    live: LiveRecognizer,
    dataset: SignDataset,
    frames: int,
    streams: int,
    at_once: bool = True,
) -> dict[str, float]:
    """Word error rates of clips and streams, and the delay of final glosses."""
    references, delays = [], []
    offline, in_one_go, online = [], [], []
    read: dict[str, tuple[str, ...]] = {}
    for number in range(streams):
        items, seen = [], 0
        for found in (references, offline, online):
            found.append([])
        for info in endless(dataset, number):
            if seen >= frames:
                break
            name = info['clip_id']
            if name not in read:
                result = inferencer(info['frames'], info['keypoint_file'])
                read[name] = result.gloss_sequence
            references[-1] += info['glosses']
            offline[-1] += read[name]
            for frame, pose in frames_of(info):
                event = live.feed(frame, pose)
                seen += 1
                if at_once:
                    items.append((frame, selected(pose[None], 'the file', name)[0]))
                if event is not None:
                    online[-1] += [gloss.gloss for gloss in event.final]
                    delays += [event.seconds - gloss.end for gloss in event.final]
        online[-1] += [gloss.gloss for gloss in live.finish().final]
        if at_once:
            in_one_go.append(read_at_once(inferencer, items))
    rates = {'WER offline, clip by clip, %': count_word_errors(references, offline).wer}
    if at_once:
        rates['WER offline, streams in one go, %'] = count_word_errors(
            references, in_one_go
        ).wer
    rates['WER live, %'] = count_word_errors(references, online).wer
    return {
        'glosses in the streams': sum(map(len, references)),
        **rates,
        'latency as stated, s': live.latency,
        # None became final before the end of a short stream: not a number.
        'delay until a gloss is final, median, s': float(np.median(delays or [np.nan])),
        'delay until a gloss is final, largest, s': max(delays, default=np.nan),
    }


def long_stream(
    live: LiveRecognizer, dataset: SignDataset, minutes: float
) -> dict[str, float]:
    """Memory and speed over one stream."""
    frames = round(minutes * 60 * live.rate)
    sizes, count, compute, start = [], 0, 0.0, time.perf_counter()
    for info in endless(dataset, 0):
        for frame, pose in frames_of(info):
            event = live.feed(frame, pose)
            count += 1
            if event is not None:
                compute += event.compute
        sizes.append((count, memory()))
        if count >= frames:
            break
    # Kernels for new shapes and the allocator's pools are there after a tenth.
    settled = next(size for seen, size in sizes if seen >= count / 10)
    seconds = count / live.rate
    return {
        'length of the long stream, min': seconds / 60,
        'memory after a tenth of it, MB': settled,
        'memory at its end, MB': sizes[-1][1],
        'growth, MB': sizes[-1][1] - settled,
        'real-time factor, recognition alone': compute / seconds,
        'real-time factor, reading of frames included': (
            (time.perf_counter() - start) / seconds
        ),
    }


def main(arguments: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', metavar='DATA', help='folder of the corpus')
    parser.add_argument('--bundle', required=True, help='of tools/export/bundle.py')
    parser.add_argument('--split', default='test')
    parser.add_argument('--keypoints', default='keypoints.safetensors')
    parser.add_argument('--window', type=int, help='frames (default: as in live.py)')
    parser.add_argument('--hop', type=int, help='frames (default: as in live.py)')
    parser.add_argument(
        '--no-pauses', action='store_true', help='windows alone, wherever hands rest'
    )
    parser.add_argument(
        '--no-at-once', action='store_true', help='do not read streams in one go'
    )
    parser.add_argument('--streams', type=int, default=2, help='to count errors on')
    parser.add_argument(
        '--stream-minutes', type=float, default=2.0, help='length of each'
    )
    parser.add_argument(
        '--minutes', type=float, default=30.0, help='length of the stream for memory'
    )
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args(arguments)
    inferencer = SignInferencer(bundle=args.bundle, device='cpu')
    live = LiveRecognizer(
        inferencer.network, args.window, args.hop, pauses=not args.no_pauses
    )
    kind = DATASETS.get(inferencer.network.spec.corpus['dataset'])
    dataset = kind(
        data_root=args.data,
        split=args.split,
        keypoint_file=args.keypoints,
        test_mode=True,
    )
    frames = round(args.stream_minutes * 60 * live.rate)
    windows = live.windows
    rows = {
        'window, hop': f'{windows.window}, {windows.hop} frames',
        'taken apart at pauses': 'yes' if live.reader.rest else 'no',
    }
    rows |= stream_errors(
        inferencer, live, dataset, frames, args.streams, not args.no_at_once
    )
    if args.minutes:
        rows |= long_stream(live, dataset, args.minutes)
    show('live recognition', rows, args.json)
    return rows


if __name__ == '__main__':
    with reported_errors():
        main()
