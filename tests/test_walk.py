"""The walk of one training clip, from files to its loss: short, and written down."""

import re
import sys
from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from tiny_models import HEAD, s3d

import mmsign
from mmsign.registry import DATASETS, MODELS

ROOT = Path(mmsign.__file__).resolve().parents[1]
MOST_FILES = 34
PIPELINE = [
    dict(type='LoadClip'),
    dict(type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop'),
    dict(type='ClipResize', size=32),
    dict(type='ClipColorJitter'),
    dict(type='PackClip'),
]


def network():
    streams = {
        name: dict(backbone=s3d(channels), head=HEAD, pyramid_head=HEAD)
        for name, channels in (('video', 3), ('keypoint', 79))
    }
    return MODELS.build(
        dict(
            type='TwoStreamRecognizer',
            vocab=dict(glosses=['REGEN', 'NORD', 'SONNE']),
            data_preprocessor=dict(video_size=32, heatmap_size=32),
            bilateral=dict(type='BilateralNeck'),
            pyramid=dict(type='SignPyramid'),
            joint=dict(type='JointHead', **HEAD),
            distillation=dict(type='SelfDistillationLoss'),
            **streams,
        )
    )


def training_split(folder: Path):
    return DATASETS.build(
        dict(
            type='Phoenix2014TDataset',
            data_root=str(folder),
            keypoint_file='keypoints.safetensors',
            split='train',
            pipeline=PIPELINE,
        )
    )


def test_the_walk_is_short_and_every_file_of_it_is_in_the_documents(phoenix_tree):
    net = network().train()
    # What is imported late is imported.
    training_split(phoenix_tree)[0]
    torch.onnx.is_in_onnx_export()
    seen: set[str] = set()

    def note(frame, event, _):
        seen.add(frame.f_code.co_filename)

    torch.manual_seed(0)
    sys.setprofile(note)
    try:
        dataset = training_split(phoenix_tree)
        batch = pseudo_collate([dataset[0], dataset[1]])
        ready = net.data_preprocessor(batch, True)
        losses = net(ready['inputs'], ready['data_samples'], mode='loss')
        sum(losses.values()).backward()
    finally:
        sys.setprofile(None)
    package = ROOT / 'mmsign'
    walked = {
        path.relative_to(ROOT).as_posix()
        for path in map(Path, seen)
        if package in path.parents
    }
    assert 15 < len(walked) <= MOST_FILES, sorted(walked)
    text = (ROOT / 'docs' / 'architecture.md').read_text(encoding='utf-8')
    named = set(re.findall(r'`(mmsign/[\w/]+\.py)`', text))
    assert walked - named == set()
    assert {path for path in named if not (ROOT / path).is_file()} == set()
