"""Clips that every benchmark of the network gets, by nothing that changes."""

from __future__ import annotations

import numpy as np
import torch

from mmsign.structures import SignDataSample


def batch(args) -> dict:
    """Random frames and keypoints, by ``batch_size``, ``frames`` and ``size``."""
    generator = torch.Generator().manual_seed(0)
    shape = (3, args.frames, args.size, args.size)
    samples = [
        SignDataSample(
            metainfo=dict(
                clip_id=f'clip{index}',
                glosses=['G3', 'G7', 'G5'],
                length=args.frames,
                frame_indices=np.arange(args.frames),
                crop_box=(0.0, 0.0, 210.0, 260.0),
            )
        )
        for index in range(args.batch_size)
    ]
    return dict(
        inputs=dict(
            video=[
                torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
                for _ in samples
            ],
            keypoints=[
                torch.rand(args.frames, 79, 3, generator=generator) * 210
                for _ in samples
            ],
        ),
        data_samples=samples,
    )
