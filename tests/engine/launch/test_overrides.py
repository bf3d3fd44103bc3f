from __future__ import annotations

import argparse

import pytest
from mmengine.config import Config

from mmsign.config import load_config
from mmsign.engine.launch.overrides import OverrideAction, apply_overrides
from mmsign.errors import ConfigError


def parse(*values: str) -> dict:
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction)
    return parser.parse_args(['--cfg-options', *values]).cfg_options


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('3', 3),
        ('1e-3', 1e-3),
        ('true', True),
        ('None', None),
        ('a,b', ['a', 'b']),
        ('[1, 2]', [1, 2]),
        ('(1,2)', (1, 2)),
        ('/data/a folder/x', '/data/a folder/x'),
        ('"/a,b"', '/a,b'),
        ("'3'", '3'),
        ('x=y', 'x=y'),
        ('', ''),
        ('[]', []),
        ('(a,)', ('a',)),
        ("'a,b','c'", ['a,b', 'c']),
        ('[(1,2),[x, y z],None]', [(1, 2), ['x', 'y z'], None]),
        ('dict(a=1, b=[x,y])', {'a': 1, 'b': ['x', 'y']}),
        ("{'a': 1, b: {}, 3: dict()}", {'a': 1, 'b': {}, 3: {}}),
        ('(a)/b', '(a)/b'),
        ("it's (1", "it's (1"),
        ('{clip_id}/*.png', '{clip_id}/*.png'),
    ],
)
def test_values(text, value):
    assert parse(f'key={text}') == {'key': value}


def test_several_and_repeated_options():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OverrideAction)
    option = '--cfg-options'
    args = parser.parse_args([option, 'a=1', 'b.c=2', option, 'a=3'])
    assert args.cfg_options == {'a': 3, 'b.c': 2}


@pytest.mark.parametrize('bad', ['key', '=3'])
def test_what_is_no_option_is_a_usage_error(bad, capsys):
    with pytest.raises(SystemExit) as caught:
        parse(bad)
    assert caught.value.code == 2
    assert repr(bad) in capsys.readouterr().err


@pytest.mark.parametrize(
    'bad', ['[1,2', '1,2]', '(1,[2)]', '{a:1', '{1,2}', 'dict(1)', "['a,b]", 'a(b,c']
)
def test_brackets_that_do_not_match(bad, capsys):
    with pytest.raises(SystemExit) as caught:
        parse(f'key={bad}')
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f'key={bad}' in said and 'Traceback' not in said
    assert parse(f'key="{bad}"') == {'key': bad}


CONFIG = """
data_root = 'data/toy'
keypoint_file = 'keypoints.safetensors'
size = 224
flag = True
model = dict(vocab=dict(dataset='Toy', data_root=data_root), size=size)
pipeline = [dict(type='Resize', size=size), dict(type='Crop', size=112)]
train_dataloader = dict(
    dataset=dict(
        type='Repeat',
        dataset=dict(data_root=data_root, keypoint_file=keypoint_file),
        pipeline=pipeline, flag=flag))
test_dataloader = dict(
    dataset=dict(data_root='data/other', keypoint_file=None, pipeline=pipeline))
"""


@pytest.fixture
def cfg():
    return Config.fromstring(CONFIG, '.py')


def test_a_variable_is_followed_to_every_place_that_held_its_value(cfg):
    apply_overrides(cfg, {'data_root': '/mnt/a b', 'keypoint_file': 'k.safetensors'})
    assert cfg.data_root == '/mnt/a b'
    assert cfg.model.vocab.data_root == '/mnt/a b'
    inner = cfg.train_dataloader.dataset.dataset
    assert inner == {'data_root': '/mnt/a b', 'keypoint_file': 'k.safetensors'}
    # Places with a value of their own keep it.
    assert cfg.test_dataloader.dataset.data_root == 'data/other'
    assert cfg.test_dataloader.dataset.keypoint_file is None


def test_numbers_in_lists_are_followed_too(cfg):
    apply_overrides(cfg, {'size': 160})
    for pipeline in (
        cfg.pipeline,
        cfg.train_dataloader.dataset.pipeline,
        cfg.test_dataloader.dataset.pipeline,
    ):
        assert [step['size'] for step in pipeline] == [160, 112]
    assert cfg.model.size == 160


def test_a_full_path_wins_over_the_variable(cfg):
    apply_overrides(
        cfg, {'train_dataloader.dataset.dataset.data_root': 'x', 'data_root': 'y'}
    )
    assert cfg.train_dataloader.dataset.dataset.data_root == 'x'
    assert cfg.model.vocab.data_root == 'y'


def test_flags_lists_and_dicts_are_followed_too(cfg):
    apply_overrides(cfg, {'flag': False, 'pipeline': []})
    assert cfg.train_dataloader.dataset.flag is False
    assert cfg.train_dataloader.dataset.pipeline == []


def test_nested_keys_are_plain_merges(cfg):
    apply_overrides(cfg, {'model.size': 8, 'train_dataloader.num_workers': 2})
    assert cfg.model.size == 8 and cfg.size == 224
    assert cfg.train_dataloader.num_workers == 2
    apply_overrides(cfg, {'model': {'size': 9}, 'model.vocab': {'data_root': 'x'}})
    assert cfg.model.size == 9
    assert cfg.model.vocab == {'dataset': 'Toy', 'data_root': 'x'}
    apply_overrides(cfg, None)
    assert cfg.size == 224


def test_what_a_variable_is_called_where_it_is_used():
    cfg = load_config('twostream_slr_small')
    apply_overrides(cfg, {'dataset_type': 'Phoenix2014TDataset', 'video_size': 32})
    assert cfg.model.vocab.dataset == 'Phoenix2014TDataset'
    assert cfg.model.data_preprocessor.video_size == 32
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        assert dataset.type == 'Phoenix2014TDataset'
        sizes = {step.type: step.size for step in dataset.pipeline if 'size' in step}
        # The box is measured in shoulders, not in pixels.
        assert sizes == {'SignerCrop': 3.0, 'ClipResize': 32}


@pytest.mark.parametrize(
    ('option', 'near'),
    [
        # The config names its corpus itself, in two places.
        ('data_root', "'train_dataloader.dataset.data_root'"),
        ('split', "'train_dataloader.split'"),
        ('data_rot', "'train_dataloader.dataset.data_root'"),
        ('wrk_dir', "'work_dir'"),
        ('train_dataloder.batch_size', "'train_dataloader.batch_size'"),
        ('train_dataloader.bach_size', "'batch_size'"),
        ('train_dataloader.dataset.pipline', "'pipeline'"),
        ('brand.new', None),
        # Variables: the settings have copies of their values.
        ('unused', None),
        ('epochs', "'train_cfg.max_epochs'"),
        ('vocab.data_root', "'model.vocab.data_root'"),
        ('pipeline.0.size', "'train_dataloader.dataset.pipeline.0.size'"),
        # What the registered classes take.
        ('train_cfg.max_epoch', "'max_epochs'"),
        ('default_hooks.checkpoint.max_keep_ckpt', "'max_keep_ckpts'"),
        ('default_hooks.checkpont.interval', "'checkpoint'"),
        ('optim_wrapper.optimizer.weight_decai', "'weight_decay'"),
        ('test_evaluator.0.dmp', "'dump'"),
        ('test_evaluator.1.dump', None),
        ('test_evaluator.dump', None),
        ('model.decoder.beam', None),
        ('model.video.chekpoint', "'checkpoint'"),
        ('model.video.backbone.fozen_blocks', "'frozen_blocks'"),
        ('model.video.backbone.type.x', None),
    ],
)
def test_what_reaches_nothing_is_refused_with_the_nearest(option, near):
    cfg = Config.fromstring(TYPED, '.py')
    with pytest.raises(ConfigError) as caught:
        apply_overrides(cfg, {option: 1})
    said = str(caught.value)
    assert option.split('.')[0] in said
    assert near in said if near else 'did you mean' not in said
    key, _, last = option.rpartition('.')
    if key in ('train_cfg', 'model.video.backbone'):  # so, too, in a dict
        with pytest.raises(ConfigError, match=near):
            apply_overrides(Config.fromstring(TYPED, '.py'), {key: {last: 1}})


@pytest.mark.parametrize(
    'option',
    [
        'experiment_name',
        'resume',
        'find_unused_parameters',
        'train_dataloader.persistent_workers',
        'train_dataloader.dataset.indices',
        'train_cfg.val_begin',
        'default_hooks.checkpoint.max_keep_ckpts',
        'default_hooks.checkpoint.priority',
        'optim_wrapper.clip_grad.max_norm',
        'optim_wrapper.optimizer.weight_decay',
        'test_evaluator.0.dump',
        'model.bilateral.stages',
        'model.video.checkpoint',
        'model.video.backbone.frozen_blocks',
        'model.keypoint.head.hidden_channels',
        'custom_hooks.0.anything',
    ],
)
def test_what_the_config_lacks_but_its_parts_take_is_added(option):
    cfg = Config.fromstring(TYPED, '.py')
    apply_overrides(cfg, {option: 1})
    for key in option.split('.'):
        cfg = cfg[int(key)] if key == '0' else cfg[key]
    assert cfg == 1


TYPED = """
pipeline = [dict(type='LoadFrames', size=8)]
epochs = 7
unused = 'nobody'
vocab = dict(dataset='Phoenix2014Dataset', data_root='a')
model = dict(
    type='TwoStreamRecognizer',
    vocab=vocab,
    decoder=dict(beam_width=3),
    video=dict(backbone=dict(type='S3D')),
    keypoint=dict(head=dict(type='GroupHead')))
train_dataloader = dict(
    batch_size=2,
    split='x',
    dataset=dict(type='Phoenix2014Dataset', data_root='a', pipeline=pipeline))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1.0))
test_evaluator = [dict(type='WERMetric')]
default_hooks = dict(checkpoint=dict(type='SafeCheckpointHook'))
custom_hooks = [dict(type='AHookThatNobodyKnows')]
"""
