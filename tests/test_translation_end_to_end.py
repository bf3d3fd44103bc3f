"""Gloss→text, cached features, translation and ensemble, as users run the tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS
from tiny_mbart import SIZES
from tiny_run import load_tool, unique_name

from mmsign import compat
from mmsign.datasets import FeatureFile
from mmsign.errors import ConfigError, DataError

CONFIG = """
_base_ = ['{configs}/_base_/runtime.py', '{configs}/_base_/translation.py']
data_root = '{root}'
vocab = dict(dataset='Phoenix2014TDataset', data_root=data_root)
pipeline = [
    dict(type='LoadClip'),
    dict(type='SampleClip', test=True),
    dict(type='DecodeClip'),
    dict(type='ClipCenterCrop'),
    dict(type='ClipResize', size=32),
    dict(type='PackClip'),
]
corpus = dict(
    type='Phoenix2014TDataset',
    data_root=data_root,
    keypoint_file='keypoints.safetensors',
    pipeline=pipeline,
)
sampler = dict(type='DefaultSampler', shuffle=False)
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=sampler, dataset=dict(split='train', **corpus)
)
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=sampler, dataset=dict(split='dev', **corpus)
)
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=sampler, dataset=dict(split='test', **corpus)
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=1e-3),
    paramwise_cfg=dict(
        custom_keys=dict(mbart=dict(lr_mult=0.5)), bypass_duplicate=True
    ),
)
head = dict(hidden_channels=16, feedforward_channels=24)
s3d = dict(type='S3D', width=0.125, norm_momentum=0.1)
recognizer = dict(
    type='TwoStreamRecognizer',
    vocab=vocab,
    data_preprocessor=dict(video_size=32, heatmap_size=32),
    video=dict(backbone=dict(in_channels=3, **s3d), head=head),
    keypoint=dict(backbone=dict(in_channels=79, **s3d), head=head),
    joint=dict(type='JointHead', **head),
)
mbart = dict(language='de_DE', vocabulary='text', max_length=12, beam_width=2)
mbart.update({sizes})
g2t_checkpoint = ''
translation_head = dict(g2t_checkpoint=g2t_checkpoint, mbart=mbart)
translator = dict(
    type='SignTranslator',
    vocab=vocab,
    recognizer=recognizer,
    translation=dict(video=translation_head, joint=translation_head),
)
default_hooks = dict(checkpoint=dict(save_best='ensemble/BLEU-4', rule='greater'))
custom_hooks = {{{{_base_.translation_hooks}}}}
val_evaluator = dict(type='BLEUMetric')
test_evaluator = {{{{_base_.translation_evaluator}}}}
visualizer = None
model = {model}
"""
PIPELINES = """
train_dataloader['dataset']['pipeline'] = {0}
val_dataloader['dataset']['pipeline'] = {0}
test_dataloader['dataset']['pipeline'] = {0}
"""
G2T = PIPELINES.format("[dict(type='PackSentence')]") + (
    "default_hooks = dict(checkpoint=dict(save_best='gloss/BLEU-4', rule='greater'))\n"
    "test_evaluator = dict(type='BLEUMetric')\n"
)
FEATURES = (
    PIPELINES.format("[dict(type='LoadFeatures', feature_file='f.safetensors')]")
    + "train_dataloader['dataset']['pipeline'][0]['views'] = 1\n"
)


@pytest.fixture(scope='module')
def folder(phoenix_tree, tmp_path_factory):
    """A work folder with the configs of every step and a recognizer's checkpoint."""
    folder = tmp_path_factory.mktemp('slt')
    configs = Path(__file__).parents[1] / 'configs'

    def write(name: str, model: str, extra: str = '') -> None:
        text = CONFIG.format(
            configs=configs, root=phoenix_tree, sizes=SIZES, model=model
        )
        (folder / f'{name}.py').write_text(text + extra, encoding='utf-8')

    write('slr', 'recognizer')
    write('g2t', "dict(type='GlossToText', vocab=vocab, mbart=mbart)", G2T)
    write('slt', 'translator', FEATURES)
    write('frames', 'translator')
    write(
        'ensemble',
        "dict(type='TranslatorEnsemble', vocab=vocab, translator=translator, "
        "checkpoints=dict(video='slt', joint='slt'))",
        FEATURES,
    )
    return folder


@pytest.fixture
def run(folder, monkeypatch):
    """Run a tool in the folder; returns what its main returns."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv('LOCAL_RANK', '0')

    def run(tool: str, *arguments: str, options: tuple[str, ...] = ()):
        named = [] if tool.startswith('data/') else ['--cfg-options', *options]
        if named:
            named.append(f'experiment_name={unique_name()}')
        return load_tool(tool).main([*arguments, *named])

    return run


def test_from_glosses_to_an_ensemble(run, folder, phoenix_tree):
    run('data/make_text_vocabulary', 'Phoenix2014TDataset', str(phoenix_tree), 'text')
    run('train', 'g2t.py', '--work-dir', 'g2t')
    assert run('test', 'g2t.py', 'g2t/epoch_1.pth')['gloss/BLEU-1'] >= 0

    from mmengine.config import Config

    torch.manual_seed(0)
    cfg = Config.fromfile('slr.py')
    recognizer = MODELS.build(cfg.model)
    state = dict(
        meta=dict(gloss_vocab=list(recognizer.vocab.glosses)),
        state_dict=recognizer.state_dict(),
    )
    compat.write_checkpoint(state, 'slr.pth')

    # Interrupted after the first split, by another shard, then to the end.
    run('extract_features', 'slr.py', 'slr.pth', 'f.safetensors', '--shard', '0/2')
    assert not (folder / 'f.safetensors').exists()
    run('extract_features', 'slr.py', 'slr.pth', 'f.safetensors')
    assert len(FeatureFile('f.safetensors').clip_ids) == 6
    assert not (folder / 'f.safetensors.parts').exists()
    # Complete, but for the random views of the training clips.
    start = ('model.recognizer_checkpoint=slr.pth', 'g2t_checkpoint=g2t')
    with pytest.raises(DataError, match='--views 1'):
        run('train', 'slt.py', '--work-dir', 'slt', options=start)
    for _ in range(2):  # The second time it is complete.
        run('extract_features', 'slr.py', 'slr.pth', 'f.safetensors', '--views', '1')
        assert len(FeatureFile('f.safetensors').clip_ids) == 8

    run('train', 'slt.py', '--work-dir', 'slt', options=start)
    from_features = run('test', 'slt.py', 'slt/epoch_1.pth', '--out', 'm.json')
    assert json.loads((folder / 'm.json').read_text()) == pytest.approx(from_features)
    from_frames = run('test', 'frames.py', 'slt/epoch_1.pth')
    # The file keeps half precision.
    for key, value in from_features.items():
        assert from_frames[key] == pytest.approx(value, abs=1e-3), key
    assert {key.split('/')[0] for key in from_features if 'BLEU-4' in key} == {
        *('video', 'joint', 'ensemble')
    }
    assert 'average/WER' in from_features

    together = run('test', 'ensemble.py')
    for key, value in from_features.items():
        if 'BLEU' in key:
            assert together[key] == pytest.approx(value), key

    # Features of another network are refused before any step.
    with torch.no_grad():
        state['state_dict']['video.backbone.blocks.0.0.conv_s.weight'].add_(0.1)
    compat.write_checkpoint(state, 'other.pth')
    with pytest.raises(DataError, match='features'):
        run(
            'train',
            'slt.py',
            options=('model.recognizer_checkpoint=other.pth', 'work_dir=other'),
        )
    with pytest.raises(ConfigError, match='name the checkpoint to test'):
        run('test', 'slt.py')
