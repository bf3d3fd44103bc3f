"""Hands that an estimator loses spoil neither training nor what comes after it."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from tiny_models import GLOSSES, HEAD, s3d, sample, single_stream

from mmsign.keypoints import ARMS, HANDS

# Backbone, data preprocessor, steps of training.
STREAMS = dict(
    heatmaps=(s3d(79), dict(heatmap_size=16, sigma=4.0, heatmap_range=(0.0, 1.0)), 60),
    points=(
        dict(
            type='STGCN',
            base_channels=8,
            num_stages=3,
            inflate_stages=[3],
            down_stages=[2, 3],
        ),
        dict(keypoint_input='points'),
        100,
    ),
)
FRAME = 64, 80


def clip(gloss: int, number: int) -> torch.Tensor:
    """(T, 79, 3): the right hand goes into one of four corners; in about a third of the
    frames it is lost, as an estimator's converter writes it, and so is the left."""
    rng = np.random.default_rng(100 * gloss + number)
    frames = int(rng.integers(2, 4)) * 4
    points = np.ones((frames, 79, 3), np.float32)
    points[..., :2] = np.random.default_rng(0).normal((32, 30), 8, (79, 2))
    points[..., :2] += rng.normal(0, 1, 2)
    angle = (gloss + 0.5) * np.pi / 2
    way = 22 * np.array([np.cos(angle), np.sin(angle)])
    _, _, wrist, hand = ARMS[1]
    points[:, hand, :2] += way * np.linspace(0.5, 1, frames)[:, None, None]
    points[:, wrist, :2] += way
    points[..., :2] += rng.normal(0, 0.5, (frames, 79, 2))
    for lost in HANDS:
        count = rng.integers(1, 2 * frames // 3 + 1)
        start = rng.integers(frames - count + 1)
        points[start : start + count, lost] = -FRAME[0], -FRAME[1], 0
    return torch.from_numpy(points)


def batch(net, clips) -> tuple[dict, list]:
    samples = [sample(len(points), [GLOSSES[gloss]]) for points, gloss in clips]
    data = dict(inputs=dict(keypoints=[x for x, _ in clips]), data_samples=samples)
    data = net.data_preprocessor(data, True)
    return data['inputs'], data['data_samples']


def accuracy(net, clips, training: bool) -> float:
    """Share of the clips whose gloss is read, and nothing else."""
    net = deepcopy(net).train(training)
    with torch.no_grad():
        found = net(*batch(net, clips), mode='predict')
    read = [x.predictions['keypoint'].glosses for x in found]
    right = [glosses == (GLOSSES[g],) for glosses, (_, g) in zip(read, clips)]
    return float(np.mean(right))


def trained(keypoint_input: str, clips):
    backbone, settings, steps = STREAMS[keypoint_input]
    # Without dropout, the modes differ by nothing but their batch norms.
    net = single_stream(
        'keypoint',
        data_preprocessor=settings,
        keypoint=dict(backbone=backbone, head=HEAD | dict(dropout=0.0)),
    ).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randperm(len(clips), generator=generator)[:8].tolist()
        loss = sum(net(*batch(net, [clips[i] for i in chosen]), mode='loss').values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net


@pytest.mark.slow
@pytest.mark.parametrize('keypoint_input', STREAMS)
def test_evaluation_reads_as_well_as_training(keypoint_input):
    clips = [(clip(g, n), g) for n in range(4) for g in range(len(GLOSSES))]
    missing = torch.cat([points[:, HANDS[1], 2] == 0 for points, _ in clips])
    assert 0.25 < missing.float().mean() < 0.45
    net = trained(keypoint_input, clips)
    assert accuracy(net, clips, training=True) > 0.9
    assert accuracy(net, clips, training=False) > 0.9
