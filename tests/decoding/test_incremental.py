from __future__ import annotations

import pytest
import torch

from mmsign.decoding import CTCBeamSearch, IncrementalCTC
from mmsign.errors import ConfigError


def stream(steps: int, pauses: float, seed: int = 0) -> torch.Tensor:
    """(steps, 6) random log-probabilities; in a share of the steps only the blank."""
    generator = torch.Generator().manual_seed(seed)
    logits = 12 * torch.randn(steps, 6, generator=generator)
    certain = torch.rand(steps, generator=generator) < pauses
    logits[certain] = torch.tensor([0.0, *[-torch.inf] * 5])
    return logits.log_softmax(-1)


@pytest.mark.parametrize('chunk', [1, 4, 7])
@pytest.mark.parametrize('seed', range(3))
def test_cut_at_certain_blanks_nothing_changes(chunk, seed):
    steps = stream(120, 0.15, seed)
    search = CTCBeamSearch(beam_width=8)
    decoder = IncrementalCTC(search, cut_probability=1.0, max_steps=100)
    found = []
    for part in steps.split(chunk):
        found += decoder.push(part)
    found += decoder.finish()
    whole = search(steps[None])[0][0]
    assert tuple(i for _, _, best in found for i in best.ids) == whole.ids
    spans = [(s + a, s + b) for s, _, best in found for a, b in best.spans]
    assert tuple(spans) == whole.spans
    # The beam of a segment keeps more alignments than that of the whole.
    score = sum(best.score for *_, best in found)
    assert whole.score - 1e-6 <= score < whole.score + 1
    # The segments follow one another without a gap.
    assert [start for start, *_ in found] == [
        sum(len(x) for _, x, _ in found[:i]) for i in range(len(found))
    ]
    assert decoder.start == 120 and len(found) > 3


def test_what_waits_is_bounded():
    decoder = IncrementalCTC(CTCBeamSearch(2), cut_probability=1.0, max_steps=20)
    for part in stream(300, 0.0).split(5):
        decoder.push(part)
        start, waiting, _ = decoder.preview(part[:0])
        assert len(waiting) <= 20 and start == decoder.start


def test_a_preview_leaves_nothing_behind():
    steps = stream(30, 0.0)
    decoder = IncrementalCTC(CTCBeamSearch(5), cut_probability=1.0)
    assert decoder.push(steps[:10]) == []
    _, seen, best = decoder.preview(steps[10:])
    assert best == CTCBeamSearch(5)(steps[None])[0][0] and len(seen) == 30
    ((_, seen, _),) = decoder.finish()
    assert len(seen) == 10 and decoder.finish() == []
    decoder.restart()
    assert decoder.start == 0


@pytest.mark.parametrize('before', [0, 3])
def test_the_last_steps_are_decoded_in_one_with_what_waits(before):
    steps = stream(30, 0.3)
    decoder = IncrementalCTC(CTCBeamSearch(beam_width=8), cut_probability=1.0)
    steps[:before, 0] = -3.0  # no cut among these
    assert decoder.push(steps[:before]) == []
    ((start, whole, best),) = decoder.finish(steps[before:])
    assert start == 0 and torch.equal(whole, steps)
    assert best == CTCBeamSearch(beam_width=8)(steps[None])[0][0]
    assert decoder.start == 30 and decoder.finish(steps[:0]) == []


def test_impossible_settings():
    for settings in (dict(cut_probability=0.0), dict(max_steps=0)):
        with pytest.raises(ConfigError):
            IncrementalCTC(CTCBeamSearch(2), **settings)
