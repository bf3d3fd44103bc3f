"""Padding of a training epoch: batches drawn at random and batches by length.

Lengths are those of sampled clips: N frames from a log-normal distribution like that
of weather forecasts (median 110, 3 to 400 frames at most), or of a corpus named by
``--lengths``, a text file with one number a line. A batch is as long as its longest
clip; waste is the share of frames that are padding.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _report import show

from mmsign.datasets.samplers import LengthBucketSampler
from mmsign.engine.launch import reported_errors


class Lengths:
    """A dataset of which only the lengths are known."""

    def __init__(self, lengths: np.ndarray) -> None:
        self.lengths = lengths.tolist()

    def __len__(self) -> int:
        return len(self.lengths)

    def get_data_info(self, index: int) -> dict:
        return dict(clip_id=str(index), num_frames=self.lengths[index])


def waste(lengths: np.ndarray, batch_size: int, pool: int, epochs: int) -> float:
    """Share of padded frames in percent over some epochs."""
    sampler = LengthBucketSampler(Lengths(lengths), batch_size, pool, seed=0)
    used = padded = 0
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        order = np.fromiter(sampler, int)
        for start in range(0, len(order), batch_size):
            drawn = lengths[order[start : start + batch_size]]
            used += drawn.sum()
            padded += drawn.max() * len(drawn)
    return 100 * (1 - used / padded)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clips', type=int, default=5000)
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--epochs', type=int, default=3)
    parser.add_argument('--lengths', type=Path)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    if args.lengths is not None:
        lengths = np.loadtxt(args.lengths, dtype=int, ndmin=1)
    else:
        rng = np.random.default_rng(0)
        lengths = np.clip(np.exp(rng.normal(np.log(110), 0.45, args.clips)), 3, 400)
        lengths = lengths.astype(int)
    rows: dict[str, float | str] = {
        'clips': len(lengths),
        'clips of a batch': args.batch_size,
    }
    for pool in (1, 5, 20, 100):
        label = (
            'drawn at random' if pool == 1 else f'by length, pools of {pool} batches'
        )
        share = waste(lengths, args.batch_size, pool, args.epochs)
        rows[f'padding {label}, %'] = share
    show('padding', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
