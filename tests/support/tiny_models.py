"""Tiny networks and inputs shared by the tests of the models."""

from __future__ import annotations

import numpy as np
import torch

from mmsign.models import SingleStreamRecognizer, TwoStreamRecognizer
from mmsign.structures import SignDataSample

SIZES = dict(video_size=32, heatmap_size=32)
HEAD = dict(hidden_channels=16, feedforward_channels=24)
GLOSSES = ['RAIN', 'SUN', 'WIND', 'SNOW']


def s3d(channels: int, **kwargs) -> dict:
    return dict(
        type='S3D', in_channels=channels, width=0.125, norm_momentum=0.1, **kwargs
    )


def stream(channels: int, **kwargs) -> dict:
    return dict(backbone=s3d(channels, **kwargs), head=dict(HEAD))


def two_stream(**changes) -> TwoStreamRecognizer:
    """A narrow full network; ``part=None`` leaves a part out."""
    torch.manual_seed(0)
    pyramid_head = dict() if 'pyramid' in changes else dict(pyramid_head=dict(HEAD))
    config = dict(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=SIZES,
        video=stream(3) | pyramid_head,
        keypoint=stream(79) | pyramid_head,
        bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
        pyramid=dict(type='SignPyramid', levels=3, norm_momentum=0.1),
        joint=dict(type='JointHead', **HEAD),
        distillation=dict(type='SelfDistillationLoss'),
    )
    return TwoStreamRecognizer(**(config | changes))


def single_stream(name: str, **changes) -> SingleStreamRecognizer:
    torch.manual_seed(0)
    config = dict(
        vocab=dict(glosses=GLOSSES),
        data_preprocessor=SIZES,
        **{name: stream(3 if name == 'video' else 79)},
    )
    return SingleStreamRecognizer(**(config | changes))


def sample(
    length: int, glosses=('RAIN', 'SUN'), clip_id: str = 'clip'
) -> SignDataSample:
    return SignDataSample(
        metainfo=dict(
            clip_id=clip_id,
            signer='Signer01',
            glosses=list(glosses),
            text=None,
            num_frames=length,
            frame_indices=np.arange(length),
            length=length,
            frame_size=(64, 80),
            crop_box=(0.0, 0.0, 64.0, 80.0),
        )
    )


def network_inputs(clips: int = 2, frames: int = 16, size: int = 32) -> dict:
    generator = torch.Generator().manual_seed(1)
    return dict(
        video=torch.rand(clips, 3, frames, size, size, generator=generator) * 2 - 1,
        heatmaps=torch.rand(clips, 79, frames, size, size, generator=generator) * 2 - 1,
    )
