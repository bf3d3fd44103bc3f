import pytest
import torch

from mmsign.models.necks.bilateral import (
    BilateralNeck,
    PointwiseBilateralNeck,
    SeparableBilateralNeck,
)
from mmsign.models.stages import StageInfo

VIDEO = [StageInfo(4, 2, (8, 8)), StageInfo(6, 2, (4, 4))]
KEYPOINT = [StageInfo(3, 2, (4, 4)), StageInfo(5, 2, (2, 2))]


@pytest.mark.parametrize('keypoint_size', [4, 8])
def test_both_directions_from_the_unfused_features(keypoint_size):
    keypoint_stage = StageInfo(3, 2, (keypoint_size, keypoint_size))
    neck = BilateralNeck(VIDEO[:1], [keypoint_stage], stages=(0,))
    video = torch.randn(2, 4, 6, 8, 8)
    keypoint = torch.randn(2, 3, 6, keypoint_size, keypoint_size)
    fused_video, fused_keypoint = neck(0, video, keypoint)
    torch.testing.assert_close(fused_video - video, neck.to_video['0'](keypoint))
    torch.testing.assert_close(fused_keypoint - keypoint, neck.to_keypoint['0'](video))
    assert neck.to_video['0'].bias is None and neck.to_keypoint['0'].bias is None


def test_unconnected_stages_pass():
    neck = BilateralNeck(VIDEO, KEYPOINT, stages=(1,))
    video, keypoint = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 3, 2, 4, 4)
    fused = neck(0, video, keypoint)
    assert fused[0] is video and fused[1] is keypoint


def test_paper_shapes():
    neck = BilateralNeck(
        [StageInfo(64, 2, (112, 112))], [StageInfo(64, 2, (56, 56))], stages=(0,)
    )
    to_video, to_keypoint = neck.to_video['0'], neck.to_keypoint['0']
    assert to_keypoint.kernel_size == to_video.kernel_size == (7, 3, 3)
    assert to_keypoint.stride == to_video.stride == (1, 2, 2)
    assert to_keypoint.padding == (3, 1, 1) and to_video.output_padding == (0, 1, 1)


def test_stage_that_does_not_exist():
    with pytest.raises(ValueError, match='stage 2: .*video 0 to 1'):
        BilateralNeck(VIDEO, KEYPOINT, stages=(0, 2))


@pytest.mark.parametrize('directions', [('to_video',), 'to_keypoint'])
def test_one_direction(directions):
    neck = BilateralNeck(VIDEO, KEYPOINT, stages=(1,), directions=directions)
    video, keypoint = torch.randn(1, 6, 2, 4, 4), torch.randn(1, 5, 2, 2, 2)
    fused = neck(1, video, keypoint)
    changed = [a is not b for a, b in zip(fused, (video, keypoint))]
    assert changed == ([True, False] if 'to_video' in directions else [False, True])
    assert len(neck.state_dict()) == 1


NECKS = [BilateralNeck, SeparableBilateralNeck, PointwiseBilateralNeck]
# Keypoint stages beside a video stage of 4 channels, time stride 2, 8×8 pixels; and
# the strides of the full convolutions to the keypoint stream and to the video stream.
GEOMETRIES = [
    (StageInfo(3, 2, (4, 4)), (1, 2, 2), (1, 2, 2)),
    (StageInfo(3, 2, (8, 8)), (1, 1, 1), (1, 1, 1)),
    (StageInfo(3, 8, (4, 4)), (4, 2, 2), (4, 2, 2)),
    (StageInfo(3, 1, (8, 8)), (2, 1, 1), (2, 1, 1)),
    (StageInfo(3, 2, (16, 16)), (1, 2, 2), (1, 2, 2)),
    (StageInfo(3, 2, (2, 2)), (1, 4, 4), (1, 4, 4)),
    # Longer but smaller, and a size that is no multiple: resized.
    (StageInfo(3, 1, (4, 4)), (1, 2, 2), (2, 1, 1)),
    (StageInfo(3, 4, (3, 5)), (2, 3, 2), (2, 3, 2)),
]


@pytest.mark.parametrize('neck_type', NECKS)
@pytest.mark.parametrize(('other', 'to_keypoint', 'to_video'), GEOMETRIES)
def test_any_two_stages(neck_type, other, to_keypoint, to_video):
    neck = neck_type(VIDEO[:1], [other], stages=(0,))
    # 18 frames: 9 steps of the video stage, an odd number.
    video = torch.randn(1, 4, 9, 8, 8)
    keypoint = torch.randn(1, 3, -(-18 // other.time_stride), *other.size)
    fused = neck(0, video, keypoint)
    assert fused[0].shape == video.shape and fused[1].shape == keypoint.shape
    for after, before in zip(fused, (video, keypoint)):
        # Every position receives something.
        assert (after - before).abs().amin() > 0
    if neck_type is BilateralNeck:
        assert neck.to_keypoint['0'].stride == to_keypoint
        assert neck.to_video['0'].stride == to_video
        assert neck.to_video['0'].kernel_size[0] == 7


def test_separable_kernels():
    neck = SeparableBilateralNeck(VIDEO, KEYPOINT, stages=(0,))
    down, up = neck.to_keypoint['0'], neck.to_video['0']
    assert [c.kernel_size for c in down] == [(1, 3, 3), (7, 1, 1)]
    assert [c.kernel_size for c in up] == [(7, 1, 1), (1, 3, 3)]
    assert [c.stride for c in down] == [(1, 2, 2), (1, 1, 1)]
    assert [c.stride for c in up] == [(1, 1, 1), (1, 2, 2)]
    assert all(isinstance(c, torch.nn.ConvTranspose3d) for c in up)


def test_pointwise_is_an_average_and_a_repetition():
    neck = PointwiseBilateralNeck(VIDEO, KEYPOINT, stages=(0,))
    video, keypoint = torch.randn(1, 4, 2, 8, 8), torch.randn(1, 3, 2, 4, 4)
    fused_video, fused_keypoint = neck(0, video, keypoint)
    means = video.unflatten(4, (4, 2)).unflatten(3, (4, 2)).mean((4, 6))
    torch.testing.assert_close(fused_keypoint - keypoint, neck.to_keypoint['0'](means))
    repeated = neck.to_video['0'](keypoint).repeat_interleave(2, 3)
    torch.testing.assert_close(
        fused_video - video, repeated.repeat_interleave(2, 4), rtol=1e-4, atol=1e-5
    )


def test_pairs_of_stages():
    neck = BilateralNeck(VIDEO, KEYPOINT, stages=((1, 0),))
    assert neck.connections == [dict(video=1, keypoint=0)]
    assert set(neck.to_video) == {'1_0'}
    video, keypoint = torch.randn(1, 6, 2, 4, 4), torch.randn(1, 3, 2, 4, 4)
    assert neck((1, 0), video, keypoint)[0] is not video
    assert neck(1, video, keypoint)[0] is video


@pytest.mark.parametrize('stages', [(1, 0), (0, 0), ((0, 1), (1, 0)), ((0, 1), (1, 1))])
def test_connections_that_cross(stages):
    with pytest.raises(ValueError, match='must lie behind the one before it'):
        BilateralNeck(VIDEO, KEYPOINT, stages=stages)


def test_a_pair_that_does_not_exist():
    with pytest.raises(ValueError, match=r'stage \(0, 2\).*keypoint 0 to 1'):
        BilateralNeck(VIDEO, KEYPOINT, stages=((0, 2),))


def test_unknown_direction():
    with pytest.raises(ValueError, match='to_keypoint.*not .*upwards'):
        BilateralNeck(VIDEO, KEYPOINT, stages=(0,), directions=('upwards',))


def test_initial_scale():
    neck = [
        BilateralNeck(VIDEO[:1], KEYPOINT[:1], stages=(0,), init_gain=gain)
        for gain in (1.0, 0.1)
    ]
    spread = [n.to_keypoint['0'].weight.std().item() for n in neck]
    assert spread[1] == pytest.approx(0.1 * spread[0], rel=0.1)
