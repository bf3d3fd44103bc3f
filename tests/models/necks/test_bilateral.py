import pytest
import torch

from mmsign.models.necks.bilateral import BilateralNeck
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
    with pytest.raises(ValueError, match='stage 2: the streams have the stages 0 to 1'):
        BilateralNeck(VIDEO, KEYPOINT, stages=(0, 2))


@pytest.mark.parametrize(
    'other', [StageInfo(3, 4, (4, 4)), StageInfo(3, 2, (3, 3)), StageInfo(3, 2, (1, 1))]
)
def test_sizes_that_cannot_be_matched(other):
    with pytest.raises(ValueError, match='time strides must be equal'):
        BilateralNeck(VIDEO[:1], [other], stages=(0,))


def test_initial_scale():
    neck = [
        BilateralNeck(VIDEO[:1], KEYPOINT[:1], stages=(0,), init_gain=gain)
        for gain in (1.0, 0.1)
    ]
    spread = [n.to_keypoint['0'].weight.std().item() for n in neck]
    assert spread[1] == pytest.approx(0.1 * spread[0], rel=0.1)
