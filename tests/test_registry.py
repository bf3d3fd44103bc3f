"""mmsign.registry: scopes."""

import pytest
from mmaction.registry import MODELS as MMACTION
from mmengine.registry import DefaultScope

from mmsign.registry import HOOKS, LOOPS, MODELS


def test_general_names_do_not_enter_mmaction2s_registries():
    assert MMACTION.get('S3D') is None
    assert MMACTION.get('mmsign.S3D') is MODELS.get('S3D')


def test_mmaction2s_parts_are_found_without_a_scope():
    assert MODELS.get('ResNet3dSlowOnly') is MMACTION.get('ResNet3dSlowOnly')
    assert LOOPS.get('EpochBasedTrainLoop').__name__ == 'EpochBasedTrainLoop'
    assert HOOKS.get('CheckpointHook').__name__ == 'CheckpointHook'


@pytest.mark.parametrize('scope', ['mmaction', 'mmengine', 'mmsign'])
def test_parts_are_built_whatever_the_default_scope(scope):
    with DefaultScope.overwrite_default_scope(scope):
        part = MODELS.build(dict(type='CTCLoss'))
    assert type(part).__module__.startswith('mmsign.')
