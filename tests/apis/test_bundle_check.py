from __future__ import annotations

import copy

import pytest

from mmsign.apis.bundle_check import check_config
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


def refused(config: dict, message: str) -> None:
    with pytest.raises(BundleError, match=rf'^a\.bundle: {message}'):
        check_config(config, 'a.bundle')


# Of mmsign, MMAction2, MMEngine, and of torch.nn as MMCV registers it.
@pytest.mark.parametrize(
    'kind', ['BilateralNeck', 'ResNet3dSlowOnly', 'BaseDataPreprocessor', 'BN3d']
)
def test_registered_layers_are_admitted(config, kind):
    config['model']['video']['neck'] = [dict(type=kind, channels=3)]
    check_config(config, 'a.bundle')


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
    refused(config, f'its config names {kind!r}, which is none of the registered parts')


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
        check_config(config, 'a.bundle')
    else:
        refused(config, "its config names 'Part'")


def test_types_are_found_at_any_depth(config):
    config['model']['necks'] = [[dict(norm=[dict(type='BN3d'), dict(type='exec')])]]
    refused(config, "its config names 'exec'")


@pytest.mark.parametrize('kind', ['DecordInit', 'S3D', 'mmcv.LoadImageFromFile'])
def test_only_mmsigns_transforms_are_admitted(config, kind):
    config['pipeline'].insert(0, dict(type=kind))
    refused(config, f'its config names {kind!r}, .* of mmsign.datasets.transforms;')


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
        refused(config, f'its config may not set {key!r}')
        del node[key]
    check_config(config, 'a.bundle')


def test_translation_has_a_place_of_its_own(config):
    config['model']['translation'] = dict(video=dict(mbart=dict(d_model=16)))
    check_config(config, 'a.bundle')
    config['model']['translation']['video']['mbart']['folder'] = '/etc'
    refused(config, "its mBART may not set 'folder' to '/etc'")
    del config['model']['translation']
    config['model']['video']['translation'] = dict(video=dict(mbart=dict(d_model=16)))
    refused(config, "its config may not set 'translation'")


@pytest.mark.parametrize('change', [dict(pipeline={}), dict(corpus=[]), dict(more={})])
def test_a_config_has_three_parts(config, change):
    refused(config | change, r'its config has \[.*\], expected \[.corpus., .model.')
