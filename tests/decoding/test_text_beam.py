"""The search over averaged probabilities against plain ones."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from mmsign.decoding.text_beam import average_next_tokens, text_beam_search
from mmsign.errors import ConfigError

START, EOS, SIZE = 0, 1, 5


class Table:
    """Next-token log-probabilities that depend on the whole prefix, kept as a cache.

    The prefixes of the beams are all it knows, so a wrong order of the rows gives
    wrong probabilities. ``sharp`` makes it sure of itself.
    """

    def __init__(self, seed: int, beams: int, sharp: float = 2.0) -> None:
        self.seed, self.beams, self.sharp = seed, beams, sharp
        self.prefixes: list[tuple[int, ...]] | None = None

    def log_probs(self, sentence: int, prefix: tuple[int, ...]) -> torch.Tensor:
        code = hash((self.seed, sentence, prefix)) % (1 << 31)
        generator = torch.Generator().manual_seed(code)
        logits = self.sharp * torch.randn(SIZE, generator=generator)
        return logits.log_softmax(-1)

    def __call__(self, tokens, order):
        previous = self.prefixes or [()] * len(tokens)
        rows = range(len(tokens)) if order is None else order.tolist()
        self.prefixes = [
            (*previous[row], token) for row, token in zip(rows, tokens.tolist())
        ]
        return torch.stack(
            [self.log_probs(i // self.beams, p) for i, p in enumerate(self.prefixes)]
        )


def mean_log_probs(tables, sentence, prefix) -> list[float]:
    mean = sum(t.log_probs(sentence, prefix).exp() for t in tables) / len(tables)
    return mean.log().tolist()


def plain_beam_search(tables, sentence, width, penalty, max_length):
    """The same rules for one sentence, with lists and without a cache."""
    running = [((START,), 0.0)]
    finished: list[tuple[float, tuple[int, ...]]] = []
    for length in range(1, max_length):
        candidates = []
        for prefix, score in running:
            for token, value in enumerate(mean_log_probs(tables, sentence, prefix)):
                if length == max_length - 1:
                    value = 0.0 if token == EOS else -math.inf
                candidates.append((score + value, (*prefix, token)))
        candidates.sort(key=lambda item: -item[0])
        running = []
        for rank, (score, tokens) in enumerate(candidates[: 2 * width]):
            if tokens[-1] != EOS:
                running.append((tokens, score))
            elif rank < width and score > -math.inf:
                finished.append((score / length**penalty, tokens[1:-1]))
        running = running[:width]
        finished = sorted(finished, key=lambda item: -item[0])[:width]
        full = len(finished) == width
        if full and running[0][1] / length**penalty <= finished[-1][0]:
            break
    return finished


@pytest.mark.parametrize('width', [1, 2, 4])
@pytest.mark.parametrize('penalty', [0.0, 1.0, 2.0])
@pytest.mark.parametrize('members', [1, 3])
def test_agrees_with_a_plain_search(width, penalty, members):
    sentences, max_length = 6, 7
    tables = [Table(seed, width) for seed in range(members)]
    found = text_beam_search(
        average_next_tokens(tables),
        sentences,
        START,
        EOS,
        beam_width=width,
        length_penalty=penalty,
        max_length=max_length,
    )
    for sentence, hypotheses in enumerate(found):
        expected = plain_beam_search(tables, sentence, width, penalty, max_length)
        assert [h.ids for h in hypotheses] == [ids for _, ids in expected]
        assert [h.score for h in hypotheses] == pytest.approx(
            [score for score, _ in expected], abs=1e-4
        )


def test_a_wide_beam_finds_the_best_of_all_sequences():
    tables, max_length, sentences = [Table(5, 64), Table(6, 64)], 5, 4
    found = text_beam_search(
        average_next_tokens(tables),
        sentences,
        START,
        EOS,
        beam_width=64,
        length_penalty=0.0,
        max_length=max_length,
    )
    for sentence in range(sentences):
        best = (-math.inf, ())
        for length in range(max_length - 1):
            for ids in itertools.product((0, 2, 3, 4), repeat=length):
                score, prefix = 0.0, (START,)
                for token in ids:
                    score += mean_log_probs(tables, sentence, prefix)[token]
                    prefix = (*prefix, token)
                if length < max_length - 2:
                    score += mean_log_probs(tables, sentence, prefix)[EOS]
                best = max(best, (score, ids))
        assert found[sentence][0].ids == best[1]
        assert found[sentence][0].score == pytest.approx(best[0], abs=1e-4)


def test_the_average_is_of_probabilities():
    sure, unsure = Table(1, 1, sharp=8.0), Table(2, 1, sharp=0.1)
    tokens = torch.tensor([START])
    expected = (sure(tokens, None).exp() + unsure(tokens, None).exp()) / 2
    average = average_next_tokens([Table(1, 1, sharp=8.0), Table(2, 1, sharp=0.1)])
    torch.testing.assert_close(average(tokens, None).exp(), expected)


def test_an_ensemble_of_equals_is_one_of_them():
    def search(*tables):
        return text_beam_search(
            average_next_tokens(tables), 3, START, EOS, beam_width=3, max_length=8
        )

    alone, three = search(Table(3, 3)), search(*(Table(3, 3) for _ in range(3)))
    assert [[h.ids for h in row] for row in three] == [
        [h.ids for h in row] for row in alone
    ]


def test_every_hypothesis_ends_at_the_greatest_length():
    def never_ends(tokens, order):
        log_probs = torch.full((len(tokens), SIZE), -math.inf)
        log_probs[:, 3] = 0
        return log_probs

    found = text_beam_search(never_ends, 2, START, EOS, beam_width=2, max_length=6)
    assert [row[0].ids for row in found] == [(3, 3, 3, 3)] * 2


def test_each_token_is_computed_once():
    calls = []

    def counted(tokens, order):
        calls.append(len(tokens))
        return table(tokens, order)

    table = Table(0, 2)
    text_beam_search(counted, 3, START, EOS, beam_width=2, max_length=9)
    # One row per beam and step, whatever the length of the prefix.
    assert set(calls) == {6}
    assert len(calls) <= 8


def test_faults():
    with pytest.raises(ConfigError):
        average_next_tokens([])
    for wrong in (dict(beam_width=0), dict(max_length=1)):
        with pytest.raises(ConfigError, match='beam_width'):
            text_beam_search(Table(0, 1), 1, START, EOS, **wrong)
