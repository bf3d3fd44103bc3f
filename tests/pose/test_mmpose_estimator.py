"""Runs where MMPose with the full mmcv is installed (tools/install_pose.sh)."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from mmsign.errors import PoseError

pytest.importorskip('mmpose.models', reason='MMPose with the full mmcv is missing')

from mmsign.pose import ESTIMATORS, RANDOM_WEIGHTS, FixedBox, PoseEstimator
from mmsign.pose.openmmlab import find_config, published_weights

ROOT = Path(__file__).parents[2]

SMALL = """
codec = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[127.0] * 3, std=[64.0] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='ResNet', depth=18, base_channels=8, num_stages=2,
                  out_indices=(1,), strides=(1, 1), dilations=(1, 1)),
    head=dict(type='HeatmapHead', in_channels=16, out_channels=POINTS,
              deconv_out_channels=None, decoder=codec,
              loss=dict(type='KeypointMSELoss')),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False),
)
test_dataloader = dict(dataset=dict(type=DATASET, pipeline=[
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]))
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'small.py'
    text = SMALL.replace('POINTS', '133').replace('DATASET', "'CocoWholeBodyDataset'")
    path.write_text(text)
    return path


@pytest.fixture(scope='module')
def frames():
    return np.random.default_rng(0).integers(0, 256, (5, 50, 40, 3), dtype=np.uint8)


@pytest.fixture(scope='module')
def expected(config, frames):
    return PoseEstimator(config, RANDOM_WEIGHTS, 'cpu', batch_size=5)(frames)


def test_one_person_per_frame_comes_out(expected):
    assert expected.shape == (5, 133, 3)
    assert expected.dtype == np.float32
    assert np.isfinite(expected).all()


def test_batches_and_generators_change_nothing(config, frames, expected):
    estimator = PoseEstimator(config, RANDOM_WEIGHTS, 'cpu', batch_size=2)
    np.testing.assert_allclose(estimator(f for f in frames), expected, atol=1e-4)
    assert estimator([]).shape == (0, 133, 3)


def test_averaging_with_the_mirrored_frame_can_be_left_out(config, frames, expected):
    other = PoseEstimator(config, RANDOM_WEIGHTS, 'cpu', flip=False)(frames)
    assert not np.allclose(other[..., 2], expected[..., 2], atol=1e-5)


def test_a_box_limits_where_the_points_are(config, frames):
    box = FixedBox(10, 10, 8, 8)
    points = PoseEstimator(config, RANDOM_WEIGHTS, 'cpu', box)(frames)[..., :2]
    # The crop is the box widened by a quarter, and as high as the input's shape asks.
    assert (abs(points - 14) <= [5 + 1, 5 * 4 / 3 + 1]).all()


def test_frames_of_another_kind_are_refused(config):
    estimator = PoseEstimator(config, RANDOM_WEIGHTS, 'cpu')
    with pytest.raises(ValueError, match=r'uint8, got \(5, 5, 3\) float64'):
        estimator([np.zeros((5, 5, 3))])
    with pytest.raises(ValueError, match='batch_size'):
        PoseEstimator(config, RANDOM_WEIGHTS, 'cpu', batch_size=0)


def test_weights_of_a_file_are_used_under_their_old_names_too(
    config, frames, expected, tmp_path
):
    state = PoseEstimator(config, RANDOM_WEIGHTS, 'cpu').model.state_dict()
    old = {k.replace('head.', 'keypoint_head.'): 2 * v for k, v in state.items()}
    new = {k: 2 * v for k, v in state.items()}
    torch.save(dict(state_dict=old), tmp_path / 'old.pth')
    torch.save(dict(state_dict=new), tmp_path / 'new.pth')
    from_old = PoseEstimator(config, tmp_path / 'old.pth', 'cpu')(frames)
    from_new = PoseEstimator(config, tmp_path / 'new.pth', 'cpu')(frames)
    np.testing.assert_array_equal(from_old, from_new)
    assert not np.allclose(from_new, expected)


def test_an_estimator_of_other_points_is_refused(tmp_path):
    path = tmp_path / 'body.py'
    path.write_text(SMALL.replace('POINTS', '17').replace('DATASET', "'CocoDataset'"))
    with pytest.raises(PoseError, match=r'body\.py has 17 keypoints'):
        PoseEstimator(path, RANDOM_WEIGHTS, 'cpu')


@pytest.mark.parametrize('name', list(ESTIMATORS))
def test_the_named_estimators_have_published_weights(name):
    config = find_config('mmpose', ESTIMATORS[name])
    assert published_weights(config).startswith('https://download.openmmlab.com/')


@pytest.mark.parametrize(
    ('name', 'limit'),
    [
        # Sub-pixel decoding.
        ('hrnet', 0.01),
        # To a grid of half a pixel of the input, on which a pixel of the frame is
        # 288 / (1.25 · 300) wide: half a step in x and in y.
        ('fast', 0.25 * 1.25 * 300 / 288 * 2**0.5 + 0.001),
    ],
)
def test_known_points_come_back_through_the_geometry(name, limit):
    path = ROOT / 'tools' / 'analysis' / 'pose_geometry.py'
    spec = importlib.util.spec_from_file_location('pose_geometry', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    random = np.random.default_rng(0)
    frames = np.zeros((3, 200, 320, 3), np.uint8)
    truth = random.uniform((30, 20), (270, 180), (3, 133, 2)).astype(np.float32)
    estimator = tool.KnownPoints(name, boxes=FixedBox(5, 10, 300, 180))
    distances = tool.errors(estimator, frames, truth)
    assert len(distances) == 3 * 133
    assert distances.max() < limit
