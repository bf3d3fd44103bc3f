import numpy as np
import pytest

from mmsign.errors import ConfigError
from mmsign.toy.lexicon import PIXEL_PAIRS
from mmsign.toy.motion import MIN_FRAMES_PER_GLOSS, sign_sentence
from mmsign.toy.signers import Difficulty, signer_of


def motion(glosses, seed=0, **kwargs):
    return sign_sentence(
        glosses, signer_of('Anna'), np.random.default_rng(seed), **kwargs
    )


def test_members_of_a_pixel_pair_move_alike():
    for a, b in PIXEL_PAIRS:
        first, second = motion([a]), motion([b])
        np.testing.assert_array_equal(first.strong.centre, second.strong.centre)
        np.testing.assert_array_equal(first.strong.extension, second.strong.extension)
        assert np.abs(first.strong.palm - second.strong.palm).max() > 1


def test_long_sentences_can_be_hurried():
    glosses = ['REGEN', 'NORD', 'VIEL', 'SONNE'] * 5
    slow, fast = motion(glosses), motion(glosses, max_frames=100)
    assert len(fast.mouth) < len(slow.mouth)
    assert len(fast.mouth) >= MIN_FRAMES_PER_GLOSS * len(glosses)


def frames_of(coarticulation, glosses, seed=0):
    """All columns of a motion, of a signer whose signs do not vary otherwise."""
    difficulty = Difficulty(0.0, 0.0, 0.0, coarticulation=coarticulation)
    rng = np.random.default_rng(seed)
    found = sign_sentence(glosses, signer_of('Anna', difficulty), rng)
    return np.concatenate([*found.strong[:2], *found.weak[:2], found.mouth], axis=1)


def test_coarticulation_lets_signs_reach_into_their_neighbours_alone():
    def first_difference(reach):
        one, other = (frames_of(reach, ['SCHWACH', g]) for g in ('SONNE', 'NEBEL'))
        length = min(len(one), len(other))
        return int((one[:length] != other[:length]).any(axis=1).argmax())

    # What follows shows earlier, as does the shorter transition's other end.
    assert 0 < first_difference(3.0) <= first_difference(0.0) - 3
    np.testing.assert_array_equal(frames_of(0, ['SONNE']), frames_of(5, ['SONNE']))
    # Transitions are shorter, but for those from and to rest.
    glosses = ['SONNE', 'NORD', 'STADT', 'ALPEN']
    usual, reaching = (len(frames_of(reach, glosses)) for reach in (0, 9))
    assert len(glosses) - 1 <= usual - reaching <= 2 * (len(glosses) - 1)


def test_an_empty_sentence():
    with pytest.raises(ConfigError, match='gloss'):
        motion([])
