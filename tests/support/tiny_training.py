"""Training and testing of a tiny two-stream network on the tiny Phoenix-2014T tree."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner
from tiny_models import HEAD, SIZES, stream
from tiny_run import unformatted_configs, unique_name

import mmsign  # noqa: F401  registers the parts

TRAIN = [
    dict(type='LoadClip'),
    dict(type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop'),
    dict(type='ClipResize', size=32),
    dict(type='ClipColorJitter', prob=1.0),
    dict(type='PackClip'),
]
TEST = [
    dict(type='LoadClip'),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    dict(type='ClipResize', size=32),
    dict(type='PackClip'),
]


def loader(root: Path, split: str, workers: int, **dataset) -> dict:
    training = split == 'train'
    return dict(
        batch_size=1,
        num_workers=workers,
        sampler=dict(type='DefaultSampler', shuffle=training),
        dataset=dict(
            type='Phoenix2014TDataset',
            data_root=str(root),
            split=split,
            keypoint_file='keypoints.safetensors',
            pipeline=TRAIN if training else TEST,
            test_mode=not training,
        )
        | dataset,
    )


def training_config(
    root: Path, work: Path, workers: int = 0, epochs: int = 2, **dataset
) -> Config:
    """The hooks and schedules of ``configs/``; a network of seconds.

    Args:
        root: Of the corpus.
        work: The work folder.
        workers: Of each data loader.
        epochs: 2 iterations each.
        **dataset: Further settings of the datasets.
    """
    folder = Path(__file__).parents[2] / 'configs' / '_base_'
    cfg = Config.fromfile(folder / 'runtime.py')
    cfg.merge_from_dict(Config.fromfile(folder / 'schedules/adam_toy.py')._cfg_dict)
    head = dict(pyramid_head=dict(HEAD))
    vocab = dict(type='Phoenix2014TDataset', data_root=str(root))
    cfg.merge_from_dict(
        dict(
            work_dir=str(work),
            experiment_name=unique_name(),
            visualizer=None,
            model=dict(
                type='TwoStreamRecognizer',
                vocab=dict(dataset=vocab.pop('type'), **vocab),
                data_preprocessor=dict(SIZES),
                video=stream(3) | head,
                keypoint=stream(79) | head,
                bilateral=dict(type='BilateralNeck', stages=(0, 1, 2)),
                pyramid=dict(type='SignPyramid', levels=3, norm_momentum=0.1),
                joint=dict(type='JointHead', **HEAD),
                distillation=dict(type='SelfDistillationLoss'),
            ),
            train_dataloader=loader(root, 'train', workers, **dataset),
            val_dataloader=loader(root, 'dev', workers, **dataset),
            test_dataloader=loader(root, 'test', workers, **dataset),
            val_evaluator=dict(type='WERMetric'),
            test_evaluator=dict(type='WERMetric'),
        )
    )
    cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval = epochs, 1
    cfg.param_scheduler[0].end = 1
    # A clip of 7 frames is too short for its two glosses.
    checks = [hook for hook in cfg.custom_hooks if hook.type == 'OutputLengthHook']
    checks[0].max_share = 1.0
    return cfg


def train(cfg: Config, *hooks) -> Runner:
    """Train to the end; ``hooks`` come on top of the config's."""
    with unformatted_configs():
        runner = Runner.from_cfg(cfg)
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
    return runner
