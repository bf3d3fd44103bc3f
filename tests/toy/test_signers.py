import pytest

from mmsign.errors import ConfigError
from mmsign.toy.signers import Difficulty, make_cast, signer_of


def test_casts_are_distinct_and_repeatable():
    sizes = dict(train=8, dev=2, test=3)
    cast = make_cast(sizes, seed=0)
    assert {split: len(signers) for split, signers in cast.items()} == sizes
    everyone = [signer for signers in cast.values() for signer in signers]
    assert len({signer.name for signer in everyone}) == len(everyone)
    assert len({(signer.clothes, signer.place) for signer in everyone}) == len(everyone)
    assert make_cast(sizes, seed=0) == cast != make_cast(sizes, seed=1)
    assert sum(signer.left_handed for signer in cast['train']) == 1


def test_a_signer_made_up_from_a_name_stays():
    assert signer_of('Anna') == signer_of('Anna') != signer_of('Berta')


def test_the_two_sides_of_a_hand_look_different():
    signer = signer_of('Anna')
    assert max(abs(a - b) for a, b in zip(signer.palm, signer.back, strict=True)) > 30


def test_difficulty_scales_every_source():
    clean, usual, double = (Difficulty.scaled(level) for level in (0, 1, 2))
    assert usual == Difficulty()
    for name, value in vars(usual).items():
        assert getattr(clean, name) == 0
        assert getattr(double, name) == pytest.approx(2 * value)
    for level in (-1, 6):
        with pytest.raises(ConfigError, match='difficulty'):
            Difficulty.scaled(level)
    with pytest.raises(ConfigError, match='placement'):
        Difficulty(placement=-0.1)
