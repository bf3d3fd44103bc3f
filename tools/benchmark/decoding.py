"""CTC beam search: ours against a straightforward one, on one thread.

Both decode the same clips and must find the same. Random logits (flat) make
prefixes compete at every step; peaky input looks like a trained network's.
"""

from __future__ import annotations

import argparse
import math

import torch
from _reference_beam_search import reference_beam_search
from _report import seconds, show
from torch import Tensor

from mmsign.decoding import CTCBeamSearch
from mmsign.engine.launch import reported_errors


def make_clips(kind: str, clips: int, steps: int, classes: int) -> Tensor:
    """(clips, steps, classes) log-probabilities, ``kind`` 'peaky' or 'flat'."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(clips, steps, classes, generator=generator)
    if kind == 'peaky':
        # A gloss every six steps, seen in three of them; blanks between.
        glosses = torch.randint(1, classes, (clips, steps), generator=generator)
        step = torch.arange(steps)
        winner = torch.where(step % 6 < 3, glosses[:, step // 6], 0)
        logits.scatter_add_(2, winner[..., None], torch.full((clips, steps, 1), 12.0))
    return logits.log_softmax(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--steps', type=int, default=60)
    parser.add_argument('--classes', type=int, default=1236, help='with the blank')
    parser.add_argument('--beam-width', type=int, default=5)
    parser.add_argument('--clips', type=int, default=32, help='clips of a batch')
    parser.add_argument('--repeats', type=int, default=30)
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    torch.set_num_threads(1)
    search = CTCBeamSearch(args.beam_width)
    rows: dict[str, float | str] = {
        'input': f'{args.steps} steps, {args.classes} classes, beam {args.beam_width}'
    }
    for kind in ('peaky', 'flat'):
        clips = make_clips(kind, args.clips, args.steps, args.classes)
        first = clips[0].numpy()
        expected = reference_beam_search(first, args.beam_width)[0]
        found = search(clips[:1])[0][0]
        if found.ids != expected[0] or not math.isclose(found.score, expected[1]):
            raise SystemExit(f'the searches disagree: {found} and {expected}')
        slow = seconds(lambda x=first: reference_beam_search(x, args.beam_width), 1, 0)
        single = seconds(lambda x=clips[:1]: search(x), args.repeats)
        batch = seconds(lambda x=clips: search(x), args.repeats) / args.clips
        rows |= {
            f'{kind}, straightforward, ms/clip': slow * 1e3,
            f'{kind}, one clip, ms/clip': single * 1e3,
            f'{kind}, batch of {args.clips}, ms/clip': batch * 1e3,
            f'{kind}, ratio straightforward / one clip': slow / single,
        }
    show('decoding', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
