import math

import torch

from mmsign.models.layers.positions import PositionEncoding, sinusoid


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
