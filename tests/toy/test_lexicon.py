import itertools

import pytest

from mmsign.errors import ConfigError
from mmsign.toy.lexicon import (
    LEXICON,
    MOUTH_PAIRS,
    PIXEL_PAIRS,
    Hand,
    Mouth,
    Sign,
    sign_of,
)


def shown(sign):
    """A sign without the side of the hand that is seen."""
    return (
        *((h and (h.path, h.shape, h.angle)) for h in (sign.strong, sign.weak)),
        sign.mouth,
    )


def test_pixel_pairs_differ_only_in_the_side_of_the_hand():
    for a, b in PIXEL_PAIRS:
        assert shown(LEXICON[a]) == shown(LEXICON[b])
        assert LEXICON[a].strong.palm == -LEXICON[b].strong.palm != 0


def test_mouth_pairs_differ_only_in_the_mouth():
    for a, b in MOUTH_PAIRS:
        assert LEXICON[a].strong == LEXICON[b].strong
        assert LEXICON[a].weak == LEXICON[b].weak
        assert LEXICON[a].mouth != LEXICON[b].mouth


def test_all_others_differ_in_what_both_streams_see():
    pairs = {frozenset(pair) for pair in PIXEL_PAIRS + MOUTH_PAIRS}
    for a, b in itertools.combinations(LEXICON, 2):
        if frozenset((a, b)) not in pairs:
            assert shown(LEXICON[a])[:2] != shown(LEXICON[b])[:2], (a, b)


def test_glosses_outside_the_lexicon_get_a_lasting_sign():
    # Real corpora are rendered with these: they must not change between versions.
    path = ((-0.3, -0.25), (-0.3, -0.25), (0.9, 0.15))
    hand = Hand(path, ('fist', 'flat'), angle=(45.0, 105.0), palm=-1.0)
    assert sign_of('HAGEL') == Sign(hand, None, Mouth(0.0, 0.0))
    assert len({sign_of(f'G{index}') for index in range(200)}) == 200
    for wrong in ('', 'ZWEI WORTE'):
        with pytest.raises(ConfigError, match=repr(wrong)):
            sign_of(wrong)
