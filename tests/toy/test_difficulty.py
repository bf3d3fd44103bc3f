import pytest

from mmsign.errors import ConfigError
from mmsign.toy.difficulty import Difficulty


def test_levels_scale_every_source():
    clean, usual, double = (Difficulty.scaled(level) for level in (0, 1, 2))
    assert usual == Difficulty()
    for name, value in vars(usual).items():
        assert getattr(clean, name) == 0
        assert getattr(double, name) == pytest.approx(2 * value)


@pytest.mark.parametrize('level', [-1, 6])
def test_levels_out_of_range(level):
    with pytest.raises(ConfigError, match='difficulty'):
        Difficulty.scaled(level)


def test_negative_sources():
    with pytest.raises(ConfigError, match='placement'):
        Difficulty(placement=-0.1)
