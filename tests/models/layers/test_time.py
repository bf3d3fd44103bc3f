import math

import pytest
import torch

from mmsign.models.layers.time import PositionEncoding, TimeResample, sinusoid


def test_values_of_the_formula():
    table = sinusoid(7, 6)
    for t in range(7):
        for c in range(3):
            angle = t / 10000 ** (2 * c / 6)
            assert math.isclose(table[t, 2 * c], math.sin(angle), abs_tol=1e-5)
            assert math.isclose(table[t, 2 * c + 1], math.cos(angle), abs_tol=1e-5)


def test_any_length_and_nothing_stored():
    layer = PositionEncoding(8)
    assert not layer.state_dict()
    short, long = layer(torch.zeros(1, 3, 8)), layer(torch.zeros(1, 6000, 8))
    torch.testing.assert_close(short[0], long[0, :3])
    torch.testing.assert_close(long[0], sinusoid(6000, 8))


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
