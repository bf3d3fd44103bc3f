from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from mmsign.errors import ConfigError, MissingPackageError, PoseError
from mmsign.pose import PoseRecipe

FAST = 'rtmw-l_8xb320-270e_cocktail14-384x288'


def test_settings_say_what_decides_the_keypoints():
    recipe = PoseRecipe('fast', checkpoint='/somewhere/x.pth', batch_size=4)
    # As files say that were begun when there was MMPose alone.
    assert recipe.describe() == dict(
        config=FAST, checkpoint='x.pth', box='full', flip=None
    )
    json.dumps(recipe.describe())
    assert replace(recipe, batch_size=8).describe() == recipe.describe()
    detector = replace(recipe, box='detector').describe()
    assert detector['detector_config'] == 'rtmdet_m_8xb32-300e_coco'
    # The same network, but without the average with the mirrored frame.
    onnx = PoseRecipe('rtmw')
    assert onnx.name == PoseRecipe('fast').name == FAST
    assert onnx.describe() != PoseRecipe('fast').describe()


@pytest.mark.parametrize(
    ('estimator', 'name', 'layout'),
    [
        ('hrnet', 'td-hm_hrnet-w48_dark-8xb32-210e_coco-wholebody-384x288', 'whole'),
        ('configs/mine.py', 'mine', 'whole'),
        ('mediapipe', 'mediapipe-holistic', '79'),
    ],
)
def test_every_estimator_has_a_name(estimator, name, layout):
    recipe = PoseRecipe(estimator)
    assert recipe.name == name and layout in recipe.layout


@pytest.mark.parametrize('box', ['frame', '1,2,3', '1,2,3,x', '1,2,0,5'])
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match='box'):
        PoseRecipe(box=box)._boxes('cpu')


@pytest.mark.parametrize(
    ('estimator', 'options'),
    [
        ('rtmw', dict(flip=False)),
        ('x.onnx', dict(detector_config='rtmdet')),
        ('rtmw', dict(checkpoint='random')),
        ('mediapipe', dict(box='detector')),
        ('mediapipe', dict(flip=False)),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(estimator, options):
    with pytest.raises(ConfigError, match=estimator):
        PoseRecipe(estimator, **options)


@pytest.mark.parametrize(
    ('estimator', 'package', 'told'),
    [
        ('rtmw', 'onnxruntime', 'pip install "mmsign.keypoints'),
        ('x.onnx', 'onnxruntime', 'pip install "mmsign.keypoints'),
        ('mediapipe', 'mediapipe', 'pip install "mediapipe<=0.10.21"'),
        ('hrnet', 'mmpose', r'tools/install_pose\.sh.*pip install "mmsign.keypoints'),
    ],
)
def test_what_is_missing_is_told_before_any_work(estimator, package, told, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises((PoseError, MissingPackageError), match=f'{package}.*{told}'):
        PoseRecipe(estimator).require()
