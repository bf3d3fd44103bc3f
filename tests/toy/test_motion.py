import numpy as np
import pytest

from mmsign.errors import ConfigError
from mmsign.toy.lexicon import PIXEL_PAIRS
from mmsign.toy.motion import MIN_FRAMES_PER_GLOSS, sign_sentence
from mmsign.toy.signers import signer_of


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


def test_an_empty_sentence():
    with pytest.raises(ConfigError, match='gloss'):
        motion([])
