"""Evaluation after the forward pass: beam search of every output, then WER.

As in testing: batches of logits of four outputs (video, keypoint, joint, average) are
decoded with beam 5 into data samples, which WERMetric cleans, aligns and counts.
"""

from __future__ import annotations

import argparse
import logging
import time

import numpy as np
import torch
from _report import show
from decoding import make_clips

from mmsign.engine.launch import reported_errors
from mmsign.evaluation import WERMetric
from mmsign.models import TwoStreamRecognizer
from mmsign.structures import SignDataSample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clips', type=int, default=640)
    parser.add_argument('--steps', type=int, default=50, help='output steps of a clip')
    parser.add_argument('--classes', type=int, default=1236, help='with the blank')
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--kind', choices=('peaky', 'flat'), default='peaky')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    glosses = [f'G{index}' for index in range(1, args.classes)]
    narrow = dict(type='S3D', width=0.125)
    head = dict(hidden_channels=8, feedforward_channels=8)
    # Only its `predict` is used; the logits below take the place of its output.
    network = TwoStreamRecognizer(
        vocab=dict(glosses=glosses),
        data_preprocessor=dict(video_size=32, heatmap_size=32),
        video=dict(backbone=narrow | dict(in_channels=3), head=head),
        keypoint=dict(backbone=narrow | dict(in_channels=79), head=head),
        joint=dict(type='JointHead', **head),
        decoder=dict(beam_width=5),
    )
    frames = 4 * args.steps
    rng = np.random.default_rng(0)
    first = make_clips(args.kind, args.batch_size, args.steps, args.classes)
    metric = WERMetric(gloss_cleanup='phoenix2014T')
    decoding = scoring = processor = 0.0
    for start in range(0, args.clips, args.batch_size):
        count = min(args.batch_size, args.clips - start)
        # Other clips in every batch, at little cost: classes change places.
        order = np.r_[0, 1 + rng.permutation(args.classes - 1)]
        logits = first[:count, :, torch.from_numpy(order)]
        noise = {
            name: (logits + 0.5 * torch.randn_like(logits)).log_softmax(-1)
            for name in ('video', 'keypoint', 'joint')
        }
        samples = [
            SignDataSample(
                metainfo=dict(
                    clip_id=f'clip{start + index}',
                    signer='',
                    glosses=[f'G{g}' for g in rng.integers(1, args.classes, 9)],
                    length=frames,
                    frame_indices=np.arange(frames),
                )
            )
            for index in range(count)
        ]
        begun, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            samples = network.predict(noise, samples, frames)
        decoded = time.perf_counter()
        metric.process(None, [sample.to_dict() for sample in samples])
        decoding += decoded - begun
        scoring += time.perf_counter() - decoded
        processor += time.process_time() - cpu
    begun, cpu = time.perf_counter(), time.process_time()
    metrics = metric.evaluate(args.clips)
    scoring += time.perf_counter() - begun
    processor += time.process_time() - cpu
    words = metrics['average/reference_words']
    rows = {
        'clips': args.clips,
        'outputs of each, decoded with beam 5': 4,
        'steps and classes': f'{args.steps}, {args.classes} ({args.kind})',
        'reference words': int(words),
        'decoding, s': decoding,
        'word error rates, s': scoring,
        'together, s': decoding + scoring,
        'together, s of processor time': processor,
    }
    show('evaluation after the forward pass', rows, args.json)


if __name__ == '__main__':
    with reported_errors():
        main()
