import pytest
import torch

from mmsign.models.layers.resample import TimeResample


def test_steps_are_averaged_in_groups():
    x = torch.arange(10.0).view(1, 5, 2)
    y = TimeResample(1, 2)(x)
    # The last group has one step.
    expected = [[1.0, 2.0], [5.0, 6.0], [8.0, 9.0]]
    torch.testing.assert_close(y, torch.tensor([expected]))


def test_steps_are_interpolated_between_their_centres():
    x = torch.tensor([[[0.0], [4.0]]])
    y = TimeResample(8, 4)(x)
    torch.testing.assert_close(y[0, :, 0], torch.tensor([0.0, 1.0, 3.0, 4.0]))


def test_nothing_to_do():
    x = torch.randn(1, 3, 2)
    assert TimeResample(4, 4)(x) is x


@pytest.mark.parametrize('wanted', [3, 6, 0])
def test_neither_multiple_nor_divisor(wanted):
    with pytest.raises(ValueError, match=f'output_stride={wanted} is neither'):
        TimeResample(4, wanted)
