from collections import Counter

import numpy as np
import pytest

from mmsign.errors import ConfigError
from mmsign.toy.grammar import SLOTS, make_sentences, translate
from mmsign.toy.lexicon import LEXICON


def test_sentences_are_balanced_and_without_repeats():
    sentences = make_sentences(400, np.random.default_rng(0))
    assert {len(glosses) for glosses in sentences} == {2, 3, 4, 5}
    assert all(len(set(glosses)) == len(glosses) for glosses in sentences)
    for table in SLOTS.values():
        counts = Counter(g for glosses in sentences for g in glosses if g in table)
        assert set(counts) == set(table)
        assert max(counts.values()) - min(counts.values()) <= 2


def test_every_gloss_has_a_sign_and_at_least_24_exist():
    glosses = {gloss for table in SLOTS.values() for gloss in table}
    assert glosses == set(LEXICON) and len(glosses) >= 24


def test_the_spoken_order_differs_from_the_signed_one():
    text = translate(['MORGEN', 'NORD', 'REGEN', 'VIEL'])
    assert text == 'viel regen gibt es morgen im norden .'
    assert translate(['SONNE', 'WIND']) == 'sonne und wind gibt es .'
    assert translate(['REGEN']) == 'regen .'
    assert translate(['OST']) == 'im osten .'


def test_a_gloss_of_another_language():
    with pytest.raises(ConfigError, match='HAGEL'):
        translate(['HAGEL'])
