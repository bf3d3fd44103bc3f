from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

from mmsign.apis import open_network
from mmsign.apis.bundle_config import check_config, translation_config
from mmsign.errors import BundleError
from mmsign.registry import MODELS

CONFIG = dict(
    model=dict(
        type='SingleStreamRecognizer',
        video=dict(backbone=dict(type='S3D', in_channels=3)),
    ),
    pipeline=[dict(type='LoadClip'), dict(type='SampleClip'), dict(type='PackClip')],
    corpus=dict(fps=25.0, dataset='Phoenix2014TDataset'),
)


@pytest.fixture
def config() -> dict:
    return copy.deepcopy(CONFIG)


def refused(config: dict, name: str) -> None:
    with pytest.raises(BundleError, match=name):
        check_config(config)


# Of mmsign, MMAction2, MMEngine, and of torch.nn as MMCV registers it.
@pytest.mark.parametrize(
    'kind', ['BilateralNeck', 'ResNet3dSlowOnly', 'BaseDataPreprocessor', 'BN3d']
)
def test_registered_layers_are_admitted(config, kind):
    config['model']['video']['neck'] = [dict(type=kind, channels=3)]
    check_config(config)


@pytest.mark.parametrize(
    'kind',
    [
        'os.system',
        'builtins.eval',
        'mmengine.Config',
        'mmaction.ResNet3dSlowOnly',
        'mmsign.models.S3D',
        'PickleLoad',
        7,
        None,
    ],
)
def test_types_that_are_no_registered_parts_are_refused(config, kind):
    config['model']['video']['backbone'] = dict(type=kind, command='echo')
    refused(config, f'names {kind!r}')


@pytest.mark.parametrize(
    ('package', 'admitted'),
    [('mmsign.mine', True), ('mmsign_mine', False), ('__main__', False)],
)
def test_a_registered_part_must_come_from_a_known_package(
    config, package, admitted, monkeypatch
):
    part = type('Part', (), dict(__module__=package))
    monkeypatch.setitem(MODELS.module_dict, 'Part', part)
    config['model']['neck'] = dict(type='Part')
    if admitted:
        check_config(config)
    else:
        refused(config, "'Part'")


def test_types_are_found_at_any_depth(config):
    config['model']['necks'] = [[dict(norm=[dict(type='BN3d'), dict(type='exec')])]]
    refused(config, "'exec'")


@pytest.mark.parametrize('kind', ['DecordInit', 'S3D', 'mmcv.LoadImageFromFile'])
def test_only_mmsigns_transforms_are_admitted(config, kind):
    config['pipeline'].insert(0, dict(type=kind))
    refused(config, f'names {kind!r}')


@pytest.mark.parametrize(
    'key',
    [
        'checkpoint',
        'checkpoints',
        'feature_file',
        'folder',
        'g2t_checkpoint',
        'init_cfg',
        'mbart',
        'pretrained',
        'recognizer_checkpoint',
        'vocab',
        'vocabulary',
        '_scope_',
        '_base_',
    ],
)
def test_other_files_cannot_be_named(config, key):
    for node in (
        config['model'],
        config['model']['video']['backbone'],
        config['pipeline'][0],
    ):
        node[key] = dict(type='S3D')
        refused(config, f'set {key!r}')
        del node[key]
    check_config(config)


@pytest.mark.parametrize('change', [dict(pipeline={}), dict(corpus=[]), dict(more={})])
def test_a_config_has_three_parts(config, change):
    refused(config | change, 'model')


# Sentences ------------------------------------------------------------------------


def translating(config: dict, heads: object) -> dict:
    return config | dict(model=config['model'] | dict(translation=heads))


def test_translation_has_a_place_of_its_own(config):
    heads = dict(video=dict(mbart=dict(d_model=16)))
    check_config(translating(config, heads))
    config['model']['video']['translation'] = heads
    refused(config, "set 'translation'")


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('folder', '/etc'),
        ('vocabulary', '/etc'),
        ('attn_implementation', 'somebody/kernels'),
        ('d_model', 'many'),
        ('d_model', [16]),
        ('language', 7),
        ('activation_function', ['relu']),
        ('loss', dict(type='CTCLoss')),
    ],
)
def test_settings_of_mbart_that_are_refused(config, key, value):
    settings = dict(d_model=16, language='de_DE')
    check_config(translating(config, dict(video=dict(mbart=settings))))
    heads = dict(video=dict(mbart=settings | {key: value}))
    refused(translating(config, heads), repr(key))


@pytest.mark.parametrize(
    'head', [None, {}, dict(mbart='/etc'), dict(mbart={}, type='S3D'), dict(type='S3D')]
)
def test_heads_that_are_no_plain_mbart(config, head):
    heads = dict(joint=dict(mbart={}), video=head)
    refused(translating(config, heads), "'video'")
    refused(translating(config, [head]), 'translation')


@pytest.mark.slow
def test_the_config_of_the_heads_is_plain_settings(config, translator_files):
    tiny_mbart = pytest.importorskip('tiny_mbart')
    found = translation_config(open_network(*translator_files, device='cpu').model)
    assert set(found) == {'video', 'joint'}
    settings = found['joint']['mbart']
    # As in the config of the network, and what it leaves to mBART's defaults.
    given = dict(language='de_DE', beam_width=2, max_length=12, init_std=1.0)
    given = tiny_mbart.SIZES | given
    assert {key: settings[key] for key in given} == given
    assert set(settings) - set(given) == {
        *('activation_function', 'length_penalty', 'scale_embedding')
    }
    check_config(translating(config, found))


def test_a_head_of_another_class_is_refused():
    model = SimpleNamespace(translation=dict(joint=SimpleNamespace()))
    with pytest.raises(BundleError, match="'joint'"):
        translation_config(model)
