"""Beam search for sentences, by one network or the average of several.

Symbols: B sentences, K beams, V ids, M networks.

The rules are those of transformers' ``generate``, whose sentences and scores one
network gives: of the 2K best continuations those of the best K that end are
kept as finished, scored by log-probability / tokens^length_penalty (``</s>``
counted), and the K best others go on. A sentence is closed when it has K finished
hypotheses and its best running one, at its present length, scores below the worst of
them. At ``max_length`` every hypothesis ends. A width of 1 is greedy search.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmsign.errors import ConfigError

from .ctc import Hypothesis

NEVER = -1e9
"""Score of what must not be chosen; finite, so that differences stay defined."""

NextTokenFunction = Callable[[Tensor, Tensor | None], Tensor]
"""``f(tokens, order)`` → log-probabilities (B·K, V) of the next token.

``tokens`` (B·K,) are the beams' last tokens; ``order`` (B·K,) says which beam of the
previous call each one continues (None at the first call), so that ``f`` can keep a
cache of all that came before.
"""


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
) -> list[list[Hypothesis]]:
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
        For each sentence its finished hypotheses, at most K, best first: their tokens
        without start and ``</s>``, scored by log-probability / tokens^length_penalty.

    Raises:
        ConfigError: If beam_width < 1 or max_length < 2.

    Examples:
        >>> bigrams = torch.tensor([[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1],
        ...                         [0, 1, 0, 0]])  # 0 → 2 → 3 → </s> = 1
        >>> def next_tokens(tokens, order):
        ...     return bigrams[tokens].float().log()
        >>> found = text_beam_search(next_tokens, 1, start_id=0, eos_id=1, beam_width=2)
        >>> found[0][0].ids, found[0][0].score
        ((2, 3), 0.0)
    """
    if beam_width < 1 or max_length < 2:
        given = f'beam_width={beam_width}, max_length={max_length}'
        raise ConfigError(f'expected beam_width >= 1 and max_length >= 2, not {given}')
    shape = sentences, beam_width
    # Running: (B, K, length) tokens and (B, K) log-probabilities. At first all are
    # equal, so only the first may be continued.
    tokens = torch.full((*shape, 1), start_id, device=device)
    scores = torch.full(shape, NEVER, device=device)
    scores[:, 0] = 0
    # Finished, best first: likewise.
    finished = torch.full((*shape, 1), eos_id, device=device)
    finished_scores = torch.full(shape, NEVER, device=device)
    closed = torch.zeros(sentences, dtype=torch.bool, device=device)
    rows = torch.arange(sentences, device=device)[:, None] * beam_width
    order = None
    for length in range(1, max_length):
        log_probs = next_tokens(tokens[:, :, -1].reshape(-1), order)
        if length == max_length - 1:
            # Nothing may follow; ending costs nothing.
            log_probs = torch.full_like(log_probs, -torch.inf)
            log_probs[:, eos_id] = 0
        size = log_probs.shape[1]
        total = (scores[..., None] + log_probs.unflatten(0, shape)).flatten(1)
        # Twice as many as beams: also if K of them end, K go on.
        best, index = total.topk(min(2 * beam_width, beam_width * size))
        beams, token = index // size, index % size
        grown = torch.cat([_take(tokens, beams), token[..., None]], dim=-1)
        ends = token == eos_id
        # Those that end now, if among the K best, contend with those that had ended.
        among_best = torch.arange(best.shape[1], device=device) < beam_width
        contend = ends & among_best & ~closed[:, None]
        candidates = (best / length**length_penalty).masked_fill(~contend, NEVER)
        merged = torch.cat([finished_scores, candidates], dim=1)
        finished_scores, kept = merged.topk(beam_width)
        finished = torch.nn.functional.pad(finished, (0, 1), value=eos_id)
        finished = _take(torch.cat([finished, grown], dim=1), kept)
        # The K best others go on.
        scores, chosen = best.masked_fill(ends, NEVER).topk(beam_width)
        tokens = _take(grown, chosen)
        order = (rows + beams.gather(1, chosen)).flatten()
        closed |= scores[:, 0] / length**length_penalty <= finished_scores[:, -1]
        if closed.all():
            break
    return [
        [
            Hypothesis(tuple(row[1 : row.index(eos_id, 1)]), score)
            for score, row in zip(own_scores, own_tokens)
            if score > NEVER / 2
        ]
        for own_scores, own_tokens in zip(finished_scores.tolist(), finished.tolist())
    ]


def _take(tokens: Tensor, beams: Tensor) -> Tensor:
    """Rows ``beams`` (B, N) of ``tokens`` (B, K, L): (B, N, L)."""
    return tokens.gather(1, beams[..., None].expand(-1, -1, tokens.shape[-1]))
