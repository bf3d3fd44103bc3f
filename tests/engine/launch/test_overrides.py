from __future__ import annotations

import argparse

import pytest
from mmengine.config import Config

from mmsign.engine.launch.overrides import OverrideAction, apply_overrides


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
    assert f'takes KEY=VALUE, not {bad!r}' in capsys.readouterr().err


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


def test_only_strings_and_numbers_are_followed(cfg):
    apply_overrides(cfg, {'flag': False})
    assert cfg.flag is False and cfg.train_dataloader.dataset.flag is True


def test_nested_and_new_keys_are_plain_merges(cfg):
    apply_overrides(cfg, {'model.size': 8, 'brand.new': 1})
    assert cfg.model.size == 8 and cfg.size == 224 and cfg.brand.new == 1
    apply_overrides(cfg, None)
    assert cfg.size == 224
