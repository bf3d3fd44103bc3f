import pytest

from mmsign.toy.difficulty import Difficulty


def test_levels_scale_every_source():
    clean, usual, double = (Difficulty.scaled(level) for level in (0, 1, 2))
    assert usual == Difficulty()
    for name, value in vars(usual).items():
        assert getattr(clean, name) == 0
        assert getattr(double, name) == pytest.approx(2 * value)


@pytest.mark.parametrize('level', [-1, 6])
def test_levels_out_of_range(level):
    with pytest.raises(ValueError, match='between 0 and 5'):
        Difficulty.scaled(level)


def test_negative_sources():
    with pytest.raises(ValueError, match='placement must be 0 or more'):
        Difficulty(placement=-0.1)
