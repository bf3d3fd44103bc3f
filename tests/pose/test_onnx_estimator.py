"""With small ONNX networks that see lights (tests/support/onnx_networks.py)."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mmsign.errors import CheckpointError, ConfigError, MissingPackageError, PoseError
from mmsign.pose import FixedBox, OnnxPoseEstimator, OnnxSignerDetector

pytest.importorskip('onnx', reason='onnx is missing')
pytest.importorskip('onnxruntime', reason='onnxruntime is missing')

from onnx_networks import RED_POINTS, lights, write_detector, write_pose

from mmsign.pose.onnx_estimator import crop_maps, decode_simcc
from mmsign.pose.recipes import PoseRecipe


@pytest.fixture(scope='module')
def pose(tmp_path_factory):
    return write_pose(tmp_path_factory.mktemp('onnx') / 'lights.onnx')


PLACES = [((40, 30), (60, 50)), ((41, 30), (20, 70)), ((47, 39), (70, 12))]
FRAMES = [lights(*places) for places in PLACES]
# A crop of 48×64 shows the frame of 96×80 pixels widened by a quarter: 2.5 of its
# pixels to one, 1.25 to a bin.
BIN = 1.25


def check(points: np.ndarray, places, limit: float) -> None:
    assert points.shape == (len(places), 133, 3) and points.dtype == np.float32
    for found, (red, blue) in zip(points, places):
        assert abs(found[:RED_POINTS, :2] - red).max() <= limit
        assert abs(found[RED_POINTS:, :2] - blue).max() <= limit


def test_points_lie_where_the_network_sees_them(pose):
    estimator = OnnxPoseEstimator(pose, device='cpu')
    points = estimator(iter(FRAMES))
    # A light is 7 pixels wide, of which two or three fall onto a pixel of the crop.
    check(points, PLACES, 2 * BIN)
    assert (points[..., 2] > 0).all()
    assert estimator([]).shape == (0, 133, 3)


def test_a_box_makes_it_finer(pose):
    box = FixedBox(36, 26, 12, 8)
    (points,) = OnnxPoseEstimator(pose, device='cpu', boxes=box)(FRAMES[:1])
    # 12 pixels widened to 15, on 96 bins.
    assert abs(points[:RED_POINTS, :2] - (40, 30)).max() <= 15 / 96


def test_files_of_one_name_are_told_apart(pose, tmp_path):
    """Exports of all networks are called end2end.onnx."""
    one, other = (tmp_path / folder / 'end2end.onnx' for folder in 'ab')
    for file in (one, other):
        file.parent.mkdir()
    one.write_bytes(pose.read_bytes())
    write_pose(other, bins=3)
    names = {PoseRecipe(str(file)).name for file in (one, other)}
    assert len(names) == 2 and OnnxPoseEstimator(one, device='cpu').name in names
    assert all(name.startswith('end2end-') for name in names)
    one.rename(tmp_path / 'end2end.onnx')
    assert PoseRecipe(str(tmp_path / 'end2end.onnx')).name in names
    with pytest.raises(FileNotFoundError):
        PoseRecipe(str(one)).require()


@pytest.mark.parametrize('settings', [dict(pictures=1), dict(bins=3)])
def test_other_exports_of_the_same(pose, tmp_path, settings):
    other = write_pose(tmp_path / 'other.onnx', **settings)
    check(OnnxPoseEstimator(other, device='cpu')(FRAMES), PLACES, 2 * BIN)


def test_batches_change_nothing(pose):
    whole = OnnxPoseEstimator(pose, device='cpu')(FRAMES)
    parts = OnnxPoseEstimator(pose, device='cpu', batch_size=2)(FRAMES)
    np.testing.assert_array_equal(whole, parts)
    with pytest.raises(ConfigError, match='batch_size must be 1 or more'):
        OnnxPoseEstimator(pose, batch_size=0)


def test_nothing_seen_is_outside_of_the_crop():
    nothing = np.zeros((1, 133, 96)), np.zeros((1, 133, 128))
    np.testing.assert_array_equal(
        decode_simcc(*nothing, (48, 64)),
        np.tile(np.float32((-0.5, -0.5, 0)), (1, 133, 1)),
    )


def test_the_detector_finds_the_person(pose, tmp_path):
    detector = OnnxSignerDetector(write_detector(tmp_path / 'd.onnx'), 'cpu')
    frames = [np.zeros((80, 96, 3), np.uint8) for _ in range(3)]
    for frame, left in zip(frames, (30, 36)):
        frame[21:51, left : left + 30] = 200
    boxes = detector(frames)
    # 64 pixels show 96; the last frame is empty and keeps the box before.
    expected = [(30, 21, 60, 51), (36, 21, 66, 51), (36, 21, 66, 51)]
    assert abs(boxes - expected).max() <= 1.5
    assert np.isnan(detector(frames[2:])).all()
    estimator = OnnxPoseEstimator(pose, device='cpu', boxes=detector)
    points = estimator([lights((40, 30), (60, 50))])
    check(points, [((40, 30), (60, 50))], BIN)


def test_a_named_network_is_downloaded_once_or_named(pose, monkeypatch):
    asked = []
    library = type(sys)('rtmlib.tools.file')
    library.download_checkpoint = lambda url: asked.append(url) or str(pose)
    for name in ('rtmlib', 'rtmlib.tools'):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setitem(sys.modules, 'rtmlib.tools.file', library)
    estimator = OnnxPoseEstimator('rtmw', device='cpu')
    assert 'rtmw-dw-x-l' in asked[0] and len(asked) == 1
    assert estimator.name == 'rtmw-l_8xb320-270e_cocktail14-384x288'
    OnnxPoseEstimator('rtmpose', pose, device='cpu')
    assert len(asked) == 1

    def fail(url):
        raise OSError('no route to host')

    library.download_checkpoint = fail
    with pytest.raises(CheckpointError, match=r'rtmw-dw.*as checkpoint: no route'):
        OnnxPoseEstimator('rtmw', device='cpu')


def test_what_is_not_installed_is_named_with_what_to_type(pose, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rtmlib', None)
    told = r'pip install "mmsign\[keypoints\]"'
    with pytest.raises(MissingPackageError, match=f'rtmlib .*{told}'):
        OnnxPoseEstimator('rtmw', device='cpu')
    OnnxPoseEstimator(pose, device='cpu')  # needs no download
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(MissingPackageError, match=f'onnxruntime .*{told}'):
        OnnxPoseEstimator(pose, device='cpu')


def test_a_gpu_that_onnxruntime_cannot_use(pose, monkeypatch):
    import torch

    monkeypatch.setattr('mmsign.compat.choose_device', torch.device)
    monkeypatch.setattr('mmsign.pose.onnx_networks.can_use_gpu', lambda: False)
    with pytest.raises(ConfigError, match='pip install onnxruntime-gpu'):
        OnnxPoseEstimator(pose, device='cuda:0')


def test_files_that_are_no_pose_networks(pose, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.onnx does not exist'):
        OnnxPoseEstimator(tmp_path / 'gone.onnx', device='cpu')
    (tmp_path / 'text.onnx').write_text('no network')
    body = write_pose(tmp_path / 'body.onnx', points=RED_POINTS)
    detector = write_detector(tmp_path / 'detector.onnx')
    four = write_pose(tmp_path / 'four.onnx', pictures=4)
    for path, said in (
        (tmp_path / 'text.onnx', ''),
        (body, r'\(1, 70, 96\)'),
        (detector, r'\(1, 2, 5\)'),
        (four, '4 pictures'),
    ):
        with pytest.raises(PoseError, match=rf'{path.name} is no pose network.*{said}'):
            OnnxPoseEstimator(path, device='cpu')
    with pytest.raises(PoseError, match=r'lights\.onnx is no YOLOX detector'):
        OnnxSignerDetector(pose, 'cpu')


def test_crop_and_decoding_are_those_of_mmpose():
    """To a tenth of a pixel of the frame, with MMPose's own steps."""
    pytest.importorskip('mmpose.datasets.transforms', reason='MMPose is missing')
    from mmpose.codecs import SimCCLabel
    from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

    size, random = (288, 384), np.random.default_rng(0)
    codec = SimCCLabel(size, sigma=(6.0, 6.93), normalize=False)
    frame = random.integers(0, 256, (200, 320, 3), dtype=np.uint8)
    for box in ((0, 0, 320, 200), (13.3, 20.7, 99.2, 190), (40, 5, 300.5, 90)):
        corners = np.float32(box).reshape(2, 2)
        truth = random.uniform(*corners, (1, 133, 2)).astype(np.float32)
        data = dict(img=frame, bbox=np.float32([box]), keypoints=truth)
        for step in (GetBBoxCenterScale(), TopdownAffine(size)):
            data = step(data)
        maps = crop_maps(np.float32([box]), size)
        placed = truth @ maps[0, :, :2].T + maps[0, :, 2]
        scale = maps[0, 0, 0]
        assert abs(placed - data['transformed_keypoints']).max() < 0.1 * scale
        labels = codec.encode(data['transformed_keypoints'])
        x, y = labels['keypoint_x_labels'], labels['keypoint_y_labels']
        expected, scores = codec.decode(x, y)
        shown = expected / size * data['input_scale'] + data['input_center']
        shown -= 0.5 * data['input_scale']
        points = decode_simcc(x, y, size)
        found = (points[..., :2] - maps[:, :, 2]) / scale
        assert abs(found - shown).max() < 0.1
        np.testing.assert_allclose(points[..., 2], scores)


SIMCC = """
codec = dict(type='SimCCLabel', input_size=(48, 64), sigma=(2.0, 2.5), normalize=False)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375], bgr_to_rgb=True,
    ),
    backbone=dict(type='ResNet', depth=18, base_channels=8, num_stages=2,
                  out_indices=(1,), strides=(1, 1), dilations=(1, 1)),
    head=dict(type='RTMCCHead', in_channels=16, out_channels=133, input_size=(48, 64),
              in_featuremap_size=(12, 16), final_layer_kernel_size=3,
              gau_cfg=dict(hidden_dims=32, s=16, expansion_factor=2, dropout_rate=0.0,
                           drop_path=0.0, act_fn='SiLU', use_rel_bias=False,
                           pos_enc=False),
              loss=dict(type='KLDiscretLoss'), decoder=codec),
    test_cfg=dict(flip_test=False),
)
test_dataloader = dict(dataset=dict(type='CocoWholeBodyDataset', pipeline=[
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]))
"""


def test_a_network_of_mmpose_gives_the_same_points_as_onnx(tmp_path):
    pytest.importorskip('mmpose.models', reason='MMPose with the full mmcv is missing')
    import torch

    from mmsign import compat
    from mmsign.pose import RANDOM_WEIGHTS, PoseEstimator

    class Network(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, pictures):
            return self.model.head.forward(self.model.extract_feat(pictures))

    (tmp_path / 'simcc.py').write_text(SIMCC)
    box = FixedBox(10.5, 5, 60, 70)
    mmpose = PoseEstimator(tmp_path / 'simcc.py', RANDOM_WEIGHTS, 'cpu', box)
    generator = torch.Generator().manual_seed(0)
    for parameter in mmpose.model.head.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    path = tmp_path / 'simcc.onnx'
    torch.onnx.export(
        Network(mmpose.model).eval(),
        torch.zeros(1, 3, 64, 48),
        str(path),
        input_names=['input'],
        output_names=['simcc_x', 'simcc_y'],
        dynamic_axes=dict.fromkeys(('input', 'simcc_x', 'simcc_y'), {0: 'batch'}),
        **compat.torchscript_exporter(),
    )
    random = np.random.default_rng(0)
    frames = list(random.integers(0, 256, (5, 80, 96, 3), dtype=np.uint8))
    expected = mmpose(frames)
    found = OnnxPoseEstimator(path, device='cpu', boxes=box)(frames)
    assert abs(found[..., :2] - expected[..., :2]).max() < 0.1
    np.testing.assert_allclose(found[..., 2], expected[..., 2], rtol=1e-3, atol=1e-4)
    assert np.ptp(expected[..., 0]) > 20  # the network answers in many places
