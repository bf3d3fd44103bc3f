import pytest
import torch

from mmsign.models.necks.pyramid import SignPyramid, pool_space
from mmsign.models.stages import StageInfo

STAGES = [
    StageInfo(2, 2, (24, 24)),
    StageInfo(3, 2, (12, 12)),
    StageInfo(5, 2, (6, 6)),
    StageInfo(7, 4, (3, 3)),
]


def features(stages=STAGES, frames=16):
    torch.manual_seed(0)
    return [
        torch.randn(2, s.channels, frames // s.time_stride, *s.size) for s in stages
    ]


def test_top_down_merge():
    pyramid = SignPyramid(STAGES, levels=3).eval()
    inputs = features()
    low, middle = pyramid(inputs)
    merged = inputs[2] + pyramid.upsample[0](inputs[3], like=inputs[2])
    torch.testing.assert_close(middle, pool_space(merged))
    lowest = inputs[1] + pyramid.upsample[1](merged, like=inputs[1])
    torch.testing.assert_close(low, pool_space(lowest))
    assert low.shape == (2, 8, 3) and middle.shape == (2, 8, 5)
    assert pyramid.out_channels == (3, 5)


def test_sizes_that_are_not_halves():
    stages = [StageInfo(3, 2, (7, 5)), StageInfo(4, 4, (4, 3))]
    low = SignPyramid(stages, levels=2)(features(stages))
    assert low[0].shape == (2, 8, 3)


def test_pool_space():
    x = torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(pool_space(x)[1, 2], x[1, :, 2].mean((1, 2)))


@pytest.mark.parametrize('levels', [1, 5])
def test_impossible_numbers_of_levels(levels):
    with pytest.raises(ValueError, match=f'pyramid of {levels} levels'):
        SignPyramid(STAGES, levels=levels)


def test_levels_of_equal_size():
    with pytest.raises(ValueError, match='shrinks'):
        SignPyramid([STAGES[0], STAGES[0]], levels=2)
