import itertools

import numpy as np
import pytest

from mmsign.errors import ConfigError
from mmsign.toy.corpus import invent_sentences
from mmsign.toy.grammar import translate
from mmsign.toy.lexicon import MOUTH_PAIRS, PIXEL_PAIRS
from mmsign.toy.motion import sign_sentence
from mmsign.toy.signers import Difficulty, signer_of
from mmsign.toy.variants import CHANGES, HARD, SIBLINGS, USUAL, VARIANTS

SIGNER = signer_of('Anna', Difficulty.scaled(0))


def hands(gloss):
    """Both hands of a sign: place in shoulder widths, direction and fingers."""
    rng = np.random.default_rng(0)
    motion = sign_sentence([gloss], SIGNER, rng, lexicon=HARD.lexicon)
    return np.stack(
        [
            np.concatenate([hand.centre, hand.direction, hand.extension], axis=1)
            for hand in (motion.strong, motion.weak)
        ]
    )


def pairs_of_one_stream():
    """Pairs that one stream alone tells apart, with those of their siblings."""
    usual = [*PIXEL_PAIRS, *MOUTH_PAIRS]
    sibling = {of: gloss for gloss, (of, _) in SIBLINGS.items()}
    return {*map(frozenset, usual)} | {
        frozenset((sibling[a], sibling[b])) for a, b in usual
    }


def test_the_hard_corpus_has_more_signs_of_fewer_signers_in_as_many_clips():
    assert USUAL.lexicon.items() < HARD.lexicon.items()
    assert len(HARD.lexicon) == 2 * len(USUAL.lexicon)
    sizes = dict(train=7, dev=2, test=2)
    clips = [
        sum(map(len, invent_sentences(sizes, v.citations, 0, v).values()))
        for v in VARIANTS.values()
    ]
    assert clips[0] == clips[1]
    corpus = invent_sentences(sizes, HARD.citations, 0, HARD)
    seen = {row.signer for row in corpus['train']}
    assert len(seen) == HARD.signers['train'] < USUAL.signers['train']
    assert not seen & {row.signer for s in ('dev', 'test') for row in corpus[s]}


def test_all_signs_are_told_apart_by_both_streams_but_for_known_pairs():
    known, signs = pairs_of_one_stream(), {g: hands(g) for g in HARD.lexicon}
    for a, b in itertools.combinations(signs, 2):
        difference = np.abs(signs[a] - signs[b]).mean(axis=1).sum(axis=-1).max()
        # A left-handed signer swaps the hands: that must be no other sign.
        mirrored = np.abs(signs[a] - signs[b][::-1]).mean(axis=1).sum(axis=-1).max()
        if frozenset((a, b)) in known:
            assert difference == 0 and HARD.lexicon[a] != HARD.lexicon[b]
        else:
            assert min(difference, mirrored) > 0.3, (a, b)


def test_siblings_differ_in_the_parameter_that_is_said():
    for gloss, (usual, change) in SIBLINGS.items():
        sign, sibling = HARD.lexicon[usual], HARD.lexicon[gloss]
        assert sibling.mouth == sign.mouth and sibling.strong.palm == sign.strong.palm
        assert sign != sibling == CHANGES[change](sign)
        same = {
            'movement': sorted(sibling.strong.path) == sorted(sign.strong.path),
            'place': sibling.strong._replace(path=sign.strong.path) == sign.strong,
            'shape': sibling.strong._replace(shape=sign.strong.shape) == sign.strong,
            'hands': sibling.strong == sign.strong,
        }
        assert same[change] and (sibling.weak is None) == (
            (sign.weak is None) != (change == 'hands')
        )
        # Nothing leaves the reach of the arms.
        assert all(-1.2 < y < 1.2 for _, y in sibling.strong.path)


def test_every_gloss_has_its_words_and_the_usual_language_knows_no_new_one():
    words = [translate([gloss], HARD.slots) for gloss in HARD.lexicon]
    assert len(set(words)) == len(HARD.lexicon)
    with pytest.raises(ConfigError, match='GESTERN'):
        translate(['GESTERN'])


def test_difficulty_scales_a_variant():
    twice = Difficulty.scaled(2, HARD.difficulty)
    assert twice.coarticulation == 2 * HARD.difficulty.coarticulation > 0
    assert Difficulty.scaled(0, HARD.difficulty) == Difficulty.scaled(0)
