"""CTC decoding: best path, and prefix beam search (paper section B.1).

Symbols: B clips, T output steps, V gloss classes with the blank, W beam width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import ConfigError

from .forced_alignment import Span, align_labellings
from .log_probs import check_shapes, check_values, top_classes
from .prefix_beam import candidate_count, prefix_beam_search


@dataclass(frozen=True)
class Hypothesis:
    """One decoded labelling of a clip.

    Attributes:
        ids: Class indices, blanks removed.
        score: Natural logarithm of a probability: of the labelling, summed over
            the alignments that stayed in the beam; of the best path alone for
            greedy decoding.
        spans: One half-open (start, end) in output steps per class index: where
            it is emitted on the most probable alignment of the labelling.
    """

    ids: tuple[int, ...]
    score: float
    spans: tuple[Span, ...]


def greedy_decode(
    log_probs: Tensor | np.ndarray,
    lengths: Tensor | Sequence[int] | None = None,
    blank: int = 0,
) -> list[Hypothesis]:
    """Best-path decoding: the labelling of the most probable path of each clip.

    Arguments and errors as in ``CTCBeamSearch.__call__``. Of equally probable
    classes the lowest index is taken.

    Examples:
        >>> best_path = torch.tensor([[0, 1, 1, 0, 1, 2]])
        >>> log_probs = torch.nn.functional.one_hot(best_path).float().log()
        >>> greedy_decode(log_probs)
        [Hypothesis(ids=(1, 1, 2), score=0.0, spans=((1, 3), (4, 5), (5, 6)))]
    """
    log_probs, lengths = check_shapes(log_probs, lengths, blank)
    if not log_probs.shape[1]:
        return [Hypothesis((), 0.0, ())] * len(lengths)
    best = log_probs.max(-1)
    scores, path = best.values.double().cpu(), best.indices.cpu()
    check_values(scores, lengths)
    hypotheses = []
    for own_scores, own_path, length in zip(scores, path, lengths):
        runs = torch.unique_consecutive(own_path[:length], return_counts=True)
        ends = runs[1].cumsum(0)
        spans = zip(runs[0].tolist(), (ends - runs[1]).tolist(), ends.tolist())
        found = [(index, (start, end)) for index, start, end in spans if index != blank]
        ids, spans = zip(*found) if found else ((), ())
        hypotheses.append(Hypothesis(ids, own_scores[:length].sum().item(), spans))
    return hypotheses


class CTCBeamSearch:
    """CTC prefix beam search, exact within its beam.

    Prefixes that collapse to the same labelling are merged, and no class is left out
    that could enter the beam.

    Args:
        beam_width: Prefixes kept per step, W. 1 means the best path
            (``greedy_decode``).
        n_best: Hypotheses returned per clip, at most W.
        merge_adjacent: Merge equal neighbours after decoding, as the paper's
            authors do; their spans are united. Hypotheses that become equal
            are returned once, with the score of the better one.

    Raises:
        ConfigError: beam_width or n_best is out of range.

    Examples:
        >>> probs = torch.tensor([[[.6, .4], [.6, .4]]])  # (B, T, V) = (1, 2, 2)
        >>> (found,) = CTCBeamSearch(beam_width=5, n_best=2)(probs.log())
        >>> [(h.ids, round(h.score, 2), h.spans) for h in found]  # ln .64, ln .36
        [((1,), -0.45, ((1, 2),)), ((), -1.02, ())]

        Three alignments collapse to (1,), none of which is the best path:

        >>> greedy_decode(probs.log())[0].ids
        ()
    """

    def __init__(
        self, beam_width: int = 5, n_best: int = 1, merge_adjacent: bool = False
    ) -> None:
        if beam_width < 1 or not 1 <= n_best <= beam_width:
            raise ConfigError(
                'beam_width must be at least 1 and n_best between 1 and beam_width, '
                f'not beam_width={beam_width}, n_best={n_best}'
            )
        self.beam_width = beam_width
        self.n_best = n_best
        self.merge_adjacent = merge_adjacent

    def __call__(
        self,
        log_probs: Tensor | np.ndarray,
        lengths: Tensor | Sequence[int] | None = None,
        blank: int = 0,
    ) -> list[list[Hypothesis]]:
        """Decode a batch.

        Args:
            log_probs: (B, T, V) natural log-probabilities, any floating dtype
                and device. -inf is a probability of zero.
            lengths: (B,) valid steps of each clip, 0 to T; None for T. What lies
                behind them is not looked at.
            blank: Index of the blank.

        Returns:
            Per clip its hypotheses, best first. A clip of length 0 has the one
            hypothesis without symbols, score 0.

        Raises:
            DataError: shapes, lengths or blank do not fit; a clip holds NaN,
                values that are no log-probabilities, or a step at which
                every class has probability zero. The clip's index is named.
        """
        if self.beam_width == 1:
            found = [[h] for h in greedy_decode(log_probs, lengths, blank)]
        else:
            found = self._search(log_probs, lengths, blank)
        if self.merge_adjacent:
            found = [[_merge_adjacent(h) for h in clip] for clip in found]
        return found

    def _search(self, log_probs, lengths, blank) -> list[list[Hypothesis]]:
        log_probs, lengths = check_shapes(log_probs, lengths, blank)
        num_classes = log_probs.shape[2]
        count = candidate_count(self.beam_width, num_classes)
        symbols, scores = top_classes(log_probs, lengths, count)
        steps = log_probs.cpu().numpy()
        beams = [
            prefix_beam_search(
                memoryview(steps[clip, :length].reshape(-1)),
                symbols[clip][:length],
                scores[clip][:length],
                num_classes,
                self.beam_width,
                blank,
            )
            for clip, length in enumerate(lengths)
        ]
        if self.merge_adjacent:
            beams = [_distinct_when_merged(beam) for beam in beams]
        chosen = [
            (clip, ids, score)
            for clip, beam in enumerate(beams)
            for ids, score in beam[: self.n_best]
        ]
        spans = align_labellings(
            [steps[clip, : lengths[clip]] for clip, _, _ in chosen],
            [ids for _, ids, _ in chosen],
            blank,
        )
        found: list[list[Hypothesis]] = [[] for _ in lengths]
        for (clip, ids, score), own in zip(chosen, spans):
            found[clip].append(Hypothesis(ids, score, own))
        return found


def _merge_adjacent(hypothesis: Hypothesis) -> Hypothesis:
    ids, spans = [], []
    for symbol, run in groupby(zip(hypothesis.ids, hypothesis.spans), lambda p: p[0]):
        own = [span for _, span in run]
        ids.append(symbol)
        spans.append((own[0][0], own[-1][1]))
    return Hypothesis(tuple(ids), hypothesis.score, tuple(spans))


def _distinct_when_merged(beam: list[tuple]) -> list[tuple]:
    """The best of those that become equal when equal neighbours are merged."""
    best: dict[tuple[int, ...], tuple] = {}
    for ids, score in beam:
        merged = tuple(symbol for symbol, _ in groupby(ids))
        best.setdefault(merged, (ids, score))
    return list(best.values())
