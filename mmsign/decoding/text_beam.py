"""Beam search for sentences, by one network or the average of several.

Symbols: B sentences, K beams, V ids, M networks.

The rules are those of transformers' ``generate``, whose sentences and scores one
network gives: of the 2K best continuations those of the best K that end are
kept as finished, scored by log-probability / tokens^length_penalty (``</s>``
counted), and the K best others go on. A sentence is closed when it has K finished
hypotheses and its best running one, at its present length, scores below the worst of
them. At ``max_length`` every hypothesis ends. A width of 1 is greedy search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmsign.errors import ConfigError

NEVER = -1e9
"""Score of what must not be chosen; finite, so that differences stay defined."""

NextTokenFunction = Callable[[Tensor, Tensor | None], Tensor]
"""``f(tokens, order)`` → log-probabilities (B·K, V) of the next token.

``tokens`` (B·K,) are the beams' last tokens; ``order`` (B·K,) says which beam of the
previous call each one continues (None at the first call), so that ``f`` can keep a
cache of all that came before.
"""


@dataclass(frozen=True)
class TextHypothesis:
    """One decoded sentence.

    Attributes:
        ids: Its tokens, without start and ``</s>``.
        score: Log-probability / tokens^length_penalty.
    """

    ids: tuple[int, ...]
    score: float


def average_next_tokens(networks: Sequence[NextTokenFunction]) -> NextTokenFunction:
    """The mean of the networks' probabilities (paper, eq. 6); of one, its own.

    Raises:
        ConfigError: If there are no networks.
    """
    if not networks:
        raise ConfigError('an ensemble needs at least one network')
    if len(networks) == 1:
        return networks[0]

    def next_tokens(tokens: Tensor, order: Tensor | None) -> Tensor:
        log_probs = torch.stack([network(tokens, order) for network in networks])
        return log_probs.logsumexp(0) - math.log(len(networks))

    return next_tokens


def text_beam_search(
    next_tokens: NextTokenFunction,
    sentences: int,
    start_id: int,
    eos_id: int,
    *,
    beam_width: int = 5,
    length_penalty: float = 1.0,
    max_length: int = 100,
    device: torch.device | str = 'cpu',
) -> list[list[TextHypothesis]]:
    """Beam search over a batch of sentences.

    Args:
        next_tokens: The network, or ``average_next_tokens`` of several.
        sentences: B; rows b·K … b·K + K − 1 belong to sentence b.
        start_id: First token: the target language.
        eos_id: Id of ``</s>``.
        beam_width: K.
        length_penalty: Power of the length that scores are divided by.
        max_length: Tokens of a hypothesis, start and ``</s>`` included.
        device: Of the network.

    Returns:
        For each sentence its finished hypotheses, at most K, best first.

    Raises:
        ConfigError: If beam_width < 1 or max_length < 2.

    Examples:
        >>> bigrams = torch.tensor([[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1],
        ...                         [0, 1, 0, 0]])  # 0 → 2 → 3 → </s> = 1
        >>> def next_tokens(tokens, order):
        ...     return bigrams[tokens].float().log()
        >>> found = text_beam_search(next_tokens, 1, start_id=0, eos_id=1, beam_width=2)
        >>> found[0][0]
        TextHypothesis(ids=(2, 3), score=0.0)
    """
    if beam_width < 1 or max_length < 2:
        raise ConfigError(
            f'beam_width must be at least 1 and max_length 2, not {beam_width} and '
            f'{max_length}'
        )
    search = _Search(sentences, start_id, eos_id, beam_width, length_penalty, device)
    order = None
    for length in range(1, max_length):
        log_probs = next_tokens(search.tokens[:, :, -1].reshape(-1), order)
        if length == max_length - 1:
            # Nothing may follow; ending costs nothing.
            log_probs = torch.full_like(log_probs, -torch.inf)
            log_probs[:, eos_id] = 0
        order = search.extend(log_probs.unflatten(0, (sentences, beam_width)))
        if search.is_closed():
            break
    return search.results()


class _Search:
    """State of a search; ``length`` generated tokens so far, start not counted."""

    def __init__(
        self,
        sentences: int,
        start_id: int,
        eos_id: int,
        beam_width: int,
        length_penalty: float,
        device: torch.device | str,
    ) -> None:
        shape = sentences, beam_width
        self.width, self.eos_id, self.penalty = beam_width, eos_id, length_penalty
        self.length = 0
        # Running beams: (B, K, 1 + length) tokens and (B, K) log-probabilities. At
        # first all are equal, so only the first may be continued.
        self.tokens = torch.full((*shape, 1), start_id, device=device)
        self.scores = torch.full(shape, NEVER, device=device)
        self.scores[:, 0] = 0
        # Finished: scores (B, K), and per sentence and place the tokens.
        self.finished_scores = torch.full(shape, NEVER, device=device)
        self.finished = torch.full((*shape, 1), eos_id, device=device)
        self.closed = torch.zeros(sentences, dtype=torch.bool, device=device)

    def extend(self, log_probs: Tensor) -> Tensor:
        """Take one step, given (B, K, V); returns the order of the rows."""
        sentences, width, size = log_probs.shape
        total = (self.scores[..., None] + log_probs).flatten(1)
        # Twice as many as beams: also if K of them end, K go on.
        count = min(2 * width, width * size)
        best, index = total.topk(count)
        beams, token = index // size, index % size
        tokens = torch.cat([_take(self.tokens, beams), token[..., None]], dim=-1)
        self.length += 1
        ends = token == self.eos_id
        self._finish(tokens, best, ends)
        running, chosen = best.masked_fill(ends, NEVER).topk(width)
        self.scores, self.tokens = running, _take(tokens, chosen)
        possible = running[:, 0] / self.length**self.penalty
        self.closed |= possible <= self.finished_scores[:, -1]
        rows = torch.arange(sentences, device=best.device)[:, None] * width
        return (rows + beams.gather(1, chosen)).flatten()

    def _finish(self, tokens: Tensor, best: Tensor, ends: Tensor) -> None:
        """Merge the hypotheses that end now, if among the K best, into the K kept."""
        candidates = best / self.length**self.penalty
        among_best = torch.arange(best.shape[1], device=best.device) < self.width
        allowed = ends & among_best & ~self.closed[:, None]
        candidates = candidates.masked_fill(~allowed, NEVER)
        grown = torch.nn.functional.pad(
            self.finished,
            (0, tokens.shape[-1] - self.finished.shape[-1]),
            value=self.eos_id,
        )
        merged = torch.cat([self.finished_scores, candidates], dim=1)
        self.finished_scores, kept = merged.topk(self.width)
        self.finished = _take(torch.cat([grown, tokens], dim=1), kept)

    def is_closed(self) -> bool:
        """Whether no sentence can improve."""
        return bool(self.closed.all())

    def results(self) -> list[list[TextHypothesis]]:
        """The finished hypotheses of each sentence, best first."""
        found = []
        for scores, rows in zip(self.finished_scores.tolist(), self.finished.tolist()):
            found.append(
                [
                    TextHypothesis(tuple(row[1 : row.index(self.eos_id, 1)]), score)
                    for score, row in zip(scores, rows)
                    if score > NEVER / 2
                ]
            )
        return found


def _take(tokens: Tensor, beams: Tensor) -> Tensor:
    """Rows ``beams`` (B, N) of ``tokens`` (B, K, L): (B, N, L)."""
    return tokens.gather(1, beams[..., None].expand(-1, -1, tokens.shape[-1]))
