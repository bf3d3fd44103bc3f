"""Config and checkpoint of a network that is built and run in a moment."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from mmsign import compat
from mmsign.registry import MODELS

GLOSSES = ['RAIN', 'SUN', 'WIND', 'SNOW']
CONFIG = """
    custom_imports = dict(imports=['mmsign'], allow_failed_imports=False)
    default_scope = 'mmsign'
    corpus = dict(fps=25.0, frame_size=(64, 48))
    head = dict(hidden_channels=16, feedforward_channels=24)

    def stream(channels):
        backbone = dict(type='S3D', in_channels=channels, width=0.125)
        return dict(backbone=backbone, head=head)

    model = dict(
        vocab=dict(glosses={glosses}),
        data_preprocessor=dict(video_size=32, heatmap_size=32, sigma=2.0),
        decoder=dict(beam_width=5),
        {model}
    )
    test_dataloader = dict(dataset=dict(
        type='Phoenix2014TDataset', data_root='nowhere', split='test', pipeline=[
            dict(type='LoadClip', frames={frames}, keypoints={keypoints}),
            dict(type='SampleClip', test=True, max_length=64),
            {decode}
            dict(type='ClipCenterCrop'),
            {resize}
            dict(type='PackClip'),
        ]))
    del stream
"""
STREAMS = dict(video='video=stream(3),', keypoint='keypoint=stream(79),')
TWO_STREAM = """
        bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
        pyramid=dict(type='SignPyramid', levels=3),
        joint=dict(type='JointHead', **head),
        distillation=dict(type='SelfDistillationLoss'),
"""


def write_network(
    folder: Path, streams=('video', 'keypoint'), seed: int = 0
) -> tuple[Path, Path]:
    """Write ``tiny.py`` and ``tiny.pth``; the network has opinions, if no sense."""
    both = len(streams) == 2
    kind = 'TwoStreamRecognizer' if both else 'SingleStreamRecognizer'
    lines = [f"type='{kind}',", *(STREAMS[name] for name in streams)]
    text = CONFIG.format(
        glosses=GLOSSES,
        model=' '.join(lines) + (TWO_STREAM if both else ''),
        frames='video' in streams,
        keypoints='keypoint' in streams,
        decode="dict(type='DecodeClip')," if 'video' in streams else '',
        resize="dict(type='ClipResize', size=32)," if 'video' in streams else '',
    )
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'tiny.py'
    config.write_text(textwrap.dedent(text), encoding='utf-8')
    torch.manual_seed(seed)
    model = MODELS.build(Config.fromfile(config).model)
    for name, parameter in model.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(100)
    checkpoint = folder / 'tiny.pth'
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=model.state_dict())
    compat.write_checkpoint(state, checkpoint)
    return config, checkpoint


def keypoints_of(frames: int, score: float = 0.9, seed: int = 0) -> np.ndarray:
    """(frames, 133, 3) somewhere in the picture, the nose above the shoulders."""
    points = np.random.default_rng(seed).uniform(0, 48, (frames, 133, 3))
    points[:, [5, 6, 0], :2] = (34, 30), (14, 30), (24, 10)
    points[..., 2] = score
    return points.astype(np.float32)


def random_frames(frames: int, seed: int = 0) -> np.ndarray:
    """(frames, 48, 64, 3) uint8."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (frames, 48, 64, 3), np.uint8)


def write_translator(
    folder: Path, recognizer: tuple[Path, Path], mbart: dict | None = None
) -> tuple[Path, Path]:
    """Write ``tiny_slt.py`` and ``tiny_slt.pth``: heads on video and joint.

    Args:
        folder: To write to.
        recognizer: Its config and checkpoint.
        mbart: Arguments of ``MBart``; None takes a tiny one.
    """
    # Needs the extra [translation].
    from tiny_mbart import mbart_config

    cfg = Config.fromfile(recognizer[0])
    # With large weights it has something to say.
    mbart = mbart or mbart_config(beam_width=2, init_std=1.0)
    head = dict(mbart=mbart, g2t_checkpoint='')
    model = {key: value for key, value in cfg.model.items() if key != 'vocab'}
    cfg.model = dict(
        type='SignTranslator',
        vocab=cfg.model.vocab,
        recognizer=model,
        translation=dict(video=head, joint=head),
    )
    torch.manual_seed(1)
    network = MODELS.build(cfg.model)
    state = torch.load(recognizer[1], weights_only=True)['state_dict']
    network.recognizer.load_state_dict(state)
    config, checkpoint = folder / 'tiny_slt.py', folder / 'tiny_slt.pth'
    cfg.dump(config)
    state = dict(meta=dict(gloss_vocab=GLOSSES), state_dict=network.state_dict())
    compat.write_checkpoint(state, checkpoint)
    return config, checkpoint
