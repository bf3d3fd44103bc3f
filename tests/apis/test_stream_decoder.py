from __future__ import annotations

import math

import pytest
import torch

from mmsign.apis.stream_decoder import StreamDecoder
from mmsign.apis.utterances import Piece
from mmsign.apis.windows import Stitched
from mmsign.decoding import CTCBeamSearch
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN'])
NONE = torch.zeros(0, 3)


def steps(letters: str, certainty: float = 0.95) -> torch.Tensor:
    """(n, 3) log-probabilities: ``.`` the blank, ``R`` and ``S`` the glosses."""
    rows = torch.full((len(letters), 3), (1 - certainty) / 2)
    for row, letter in zip(rows, letters):
        row['.RS'.index(letter)] = certainty
    return rows.log()


def piece(letters: str, preview: str = '', origin: int = 0, is_last: bool = False):
    found = Stitched(dict(average=steps(letters)), dict(average=steps(preview)))
    return Piece(found, origin, is_last)


def decoder(merge: bool = False, **options) -> StreamDecoder:
    search = CTCBeamSearch(1, merge_adjacent=merge)
    return StreamDecoder(search, VOCAB, 4, lambda n: (n / 25, (n + 1) / 25), **options)


def names(glosses) -> list[str]:
    return [gloss.gloss for gloss in glosses]


def test_glosses_have_the_times_of_their_utterance():
    own = decoder()
    first = piece('.RR.S', preview='S.', origin=100)
    final = own.push(first)
    # Final up to the last certain blank; the rest is a guess.
    (rain,) = final
    assert (rain.gloss, rain.start, rain.end) == ('RAIN', 104 / 25, 112 / 25)
    assert rain.confidence == pytest.approx(0.95)
    (sun,) = own.preview(first)
    assert (sun.gloss, sun.start, sun.end) == ('SUN', 116 / 25, 124 / 25)
    last = piece('S', origin=100, is_last=True)
    (sun,) = own.push(last)
    assert (sun.start, sun.end) == (116 / 25, 124 / 25) and own.preview(last) == ()
    assert own.score == pytest.approx(6 * math.log(0.95), abs=1e-4)
    # Another utterance counts from its own beginning.
    (rain,) = own.push(piece('R', origin=200, is_last=True))
    assert (rain.start, rain.end) == (8.0, 204 / 25)


def test_a_gloss_begins_after_the_end_of_the_one_before():
    # Utterances from frame 0 and 8 of three steps of 4 frames overlap by one step.
    own = decoder()
    first = own.push(piece('..R', is_last=True))
    (seen,) = own.preview(piece('', preview='S', origin=8))
    second = own.push(piece('SR.', origin=8, is_last=True))
    times = [(gloss.start, gloss.end) for gloss in (*first, *second)]
    assert times == [(8 / 25, 12 / 25), (12 / 25, 16 / 25), (16 / 25, 20 / 25)]
    assert (seen.start, seen.end) == times[1]


def test_a_sign_cut_in_two_is_one_but_not_across_a_pause():
    own = decoder(merge=True)
    assert names(own.push(piece('R.'))) == ['RAIN']
    assert names(own.push(piece('R.'))) == []
    assert names(own.push(piece('R', is_last=True))) == []
    assert names(own.push(piece('R', origin=40, is_last=True))) == ['RAIN']
    assert names(decoder().push(piece('R.'))) == ['RAIN']


def test_another_output_and_other_limits():
    own = decoder(output='joint', cut_probability=1.0, max_steps=3)
    found = Stitched(dict(joint=steps('R.S'), average=NONE), {})
    assert own.push(Piece(found, 0, False)) == []
    # R.SR.S is cut at its most certain blanks, and the last step waits.
    assert names(own.push(Piece(found, 0, False))) == ['RAIN', 'SUN', 'RAIN']
    assert names(own.push(Piece(found, 0, True))) == ['SUN', 'RAIN', 'SUN']
