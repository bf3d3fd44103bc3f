from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmsign.decoding import CTCBeamSearch, IncrementalCTC
from mmsign.errors import ConfigError
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND', 'SNOW', 'FOG'])
NONE = torch.zeros(0, 6)


def stream(steps: int, pauses: float, seed: int = 0) -> torch.Tensor:
    """(steps, 6) random log-probabilities; in a share of the steps only the blank."""
    generator = torch.Generator().manual_seed(seed)
    logits = 12 * torch.randn(steps, 6, generator=generator)
    certain = torch.rand(steps, generator=generator) < pauses
    logits[certain] = torch.tensor([0.0, *[-torch.inf] * 5])
    return logits.log_softmax(-1)


def steps(letters: str, certainty: float = 0.95) -> torch.Tensor:
    """(n, 6) log-probabilities: ``.`` the blank, ``R`` and ``S`` the first glosses."""
    rows = torch.full((len(letters), 6), (1 - certainty) / 5)
    for row, letter in zip(rows, letters):
        row['.RS'.index(letter)] = certainty
    return rows.log()


def decoder(beam: int = 8, stride: int = 1, merge: bool = False, **options):
    """Its glosses' times are frames."""
    search = CTCBeamSearch(beam, merge_adjacent=merge)
    return IncrementalCTC(search, VOCAB, stride, lambda n: (n, n + 1), **options)


def names(glosses) -> list[str]:
    return [gloss.gloss for gloss in glosses]


def spans(glosses) -> list[tuple[int, int]]:
    return [(gloss.start, gloss.end) for gloss in glosses]


@pytest.mark.parametrize('chunk', [1, 4, 7])
@pytest.mark.parametrize('seed', range(3))
def test_cut_at_certain_blanks_nothing_changes(chunk, seed):
    log_probs = stream(120, 0.15, seed)
    own = decoder(cut_probability=1.0, max_steps=100)
    parts = [own.step(part) for part in log_probs.split(chunk)]
    found = [*sum(parts, []), *own.end(NONE)]
    whole = CTCBeamSearch(8)(log_probs[None])[0][0]
    assert names(found) == VOCAB.decode(whole.ids)
    assert tuple(spans(found)) == whole.spans
    # The beam of a segment keeps more alignments than that of the whole.
    assert whole.score - 1e-6 <= own.score < whole.score + 1
    # They did not all wait for the end.
    assert sum(map(bool, parts)) > 3


def test_what_waits_is_bounded():
    own = decoder(2, cut_probability=1.0, max_steps=20)
    for part in stream(300, 0.0).split(5):
        own.step(part)
        assert len(own._waiting) <= 20


def test_a_preview_leaves_nothing_behind():
    log_probs = stream(30, 0.0)
    own = decoder(5, cut_probability=1.0)
    assert own.step(log_probs[:10]) == []
    best = CTCBeamSearch(5)(log_probs[None])[0][0]
    shown = own.preview(log_probs[10:])
    assert names(shown) == VOCAB.decode(best.ids)
    assert own.end(log_probs[10:]) == shown and own.end(NONE) == []
    assert own.score == pytest.approx(best.score)


def test_glosses_have_the_times_of_their_utterance():
    own = decoder(1, stride=4)
    own.begin(100)
    # Final up to the last certain blank; the rest is a guess.
    (rain,) = own.step(steps('.RR.S'))
    assert (rain.gloss, rain.start, rain.end) == ('RAIN', 104, 112)
    assert rain.confidence == pytest.approx(0.95)
    assert spans(own.preview(steps('S.'))) == [(116, 124)]
    assert spans(own.end(steps('S'))) == [(116, 124)]
    assert own.score == pytest.approx(6 * math.log(0.95), abs=1e-4)
    # Another utterance counts from its own beginning.
    own.begin(200)
    assert spans(own.end(steps('R'))) == [(200, 204)]


def test_a_gloss_begins_after_the_end_of_the_one_before():
    # Utterances from frame 0 and 8 of three steps of 4 frames overlap by one step.
    own = decoder(1, stride=4)
    first = own.end(steps('..R'))
    own.begin(8)
    seen = own.preview(steps('S'))
    second = own.end(steps('SR.'))
    assert spans([*first, *second]) == [(8, 12), (12, 16), (16, 20)]
    assert spans(seen) == [(12, 16)]


def test_a_sign_cut_in_two_is_one_but_not_across_a_pause():
    own = decoder(1, merge=True)
    assert names(own.step(steps('R.'))) == ['RAIN']
    assert own.step(steps('R.')) == [] == own.end(steps('R'))
    own.begin(40)
    assert names(own.end(steps('R'))) == ['RAIN']


def test_without_a_certain_blank_the_most_probable_one_is_taken():
    own = decoder(1, cut_probability=1.0, max_steps=3)
    assert own.step(steps('R.S')) == []
    # R.SR.S is cut at its most certain blanks, and the last step waits.
    assert names(own.step(steps('R.S'))) == ['RAIN', 'SUN', 'RAIN']
    assert names(own.end(steps('R.S'))) == ['SUN', 'RAIN', 'SUN']


def test_where_the_last_frame_is_held_nothing_ends_later():
    for letters, expected in (
        ('.RR...', [(4, 12)]),
        ('..RRR.', [(8, 16)]),
        ('....R.', [(15, 16)]),
        ('...R.S', [(12, 16), (15, 16)]),
        ('....RS', [(15, 16), (15, 16)]),
        ('...RS.', [(12, 16), (15, 16)]),
    ):
        own = decoder(1, stride=4)
        assert spans(own.end(steps(letters), held=8)) == expected, letters
    # In parts, also if only held steps are left at the end.
    own = decoder(1, stride=4, cut_probability=0.9)
    own.begin(100)
    assert spans(own.step(steps('.R.'))) == [(104, 108)]
    assert spans(own.end(steps('S.'), held=8)) == [(111, 112)]
    # An utterance that shares frames with the one before.
    own.begin(108)
    assert spans(own.end(steps('R...'), held=8)) == [(112, 116)]
    own.begin(112)  # all of them
    assert spans(own.end(steps('RR.'), held=8)) == [(112, 116)]
    # Of the next nothing is held.
    own.begin(200)
    assert spans(own.end(steps('..R'))) == [(208, 212)]


def test_times_of_uneven_frames():
    times = np.array([0.0, 0.04, 0.08, 0.5, 0.54, 0.58])
    own = IncrementalCTC(
        CTCBeamSearch(1), VOCAB, 2, lambda n: (times[n], times[n] + 0.04)
    )
    assert spans(own.end(steps('RS.'))) == [(0.0, 0.08), (0.08, 0.54)]


def test_impossible_settings():
    for settings in (dict(cut_probability=0.0), dict(max_steps=0)):
        with pytest.raises(ConfigError):
            decoder(2, **settings)
