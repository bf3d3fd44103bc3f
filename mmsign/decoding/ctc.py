"""CTC decoding: best path, and prefix beam search (paper section B.1).

Symbols: B clips, T output steps, V gloss classes with the blank, W beam width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import ConfigError, DataError

from .forced_alignment import Span, align_labellings
from .prefix_beam import candidate_count, prefix_beam_search


@dataclass(frozen=True)
class Hypothesis:
    """One decoded labelling of a clip; or one sentence, see ``text_beam_search``.

    Attributes:
        ids: Class indices, blanks removed.
        score: Natural logarithm of a probability: of the labelling, summed over
            the alignments that stayed in the beam; of the best path alone for
            greedy decoding.
        spans: One half-open (start, end) in output steps per class index: where
            it is emitted on the most probable alignment of the labelling. None of a
            sentence.
    """

    ids: tuple[int, ...]
    score: float
    spans: tuple[Span, ...] = ()


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


@dataclass(frozen=True)
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

    beam_width: int = 5
    n_best: int = 1
    merge_adjacent: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.n_best <= self.beam_width:
            given = f'{self.beam_width} and {self.n_best}'
            raise ConfigError(f'expected beam_width >= n_best >= 1, not {given}')

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
        width, num_classes = self.beam_width, log_probs.shape[2]
        count = candidate_count(width, num_classes)
        top = _top_classes(log_probs, lengths, count)
        beams, aligned = [], []
        for clip, length, *best in zip(log_probs.cpu().numpy(), lengths, *top):
            steps = clip[:length]
            scores = memoryview(steps.reshape(-1))
            symbols_and_scores = (rows[:length] for rows in best)
            settings = num_classes, width, blank
            beam = prefix_beam_search(scores, *symbols_and_scores, *settings)
            if self.merge_adjacent:
                beam = _distinct_when_merged(beam)
            beams.append(beam[: self.n_best])
            aligned += [steps] * len(beams[-1])
        labellings = [ids for beam in beams for ids, _ in beam]
        spans = iter(align_labellings(aligned, labellings, blank))
        return [[Hypothesis(*found, next(spans)) for found in beam] for beam in beams]


def check_shapes(
    log_probs: Tensor | np.ndarray, lengths: Tensor | Sequence[int] | None, blank: int
) -> tuple[Tensor, list[int]]:
    """(B, T, V) without gradient, float32 or 64, and B lengths."""
    log_probs = torch.as_tensor(log_probs).detach()
    if log_probs.ndim != 3 or not log_probs.is_floating_point():
        given = f'{log_probs.dtype} {tuple(log_probs.shape)}'
        raise DataError(f'log_probs must be floats of shape (B, T, V), not {given}')
    if log_probs.dtype != torch.float64:
        log_probs = log_probs.float()  # exact; the half types lack operations
    batch, steps, num_classes = log_probs.shape
    if not 0 <= blank < num_classes:
        raise DataError(f'blank must be an index of {num_classes} classes, not {blank}')
    lengths = [steps] * batch if lengths is None else torch.as_tensor(lengths).tolist()
    if len(lengths) != batch:
        raise DataError(f'{len(lengths)} lengths for a batch of {batch} clips')
    for clip, length in enumerate(lengths):
        if not 0 <= length <= steps or length != int(length):
            raise DataError(
                f'clip {clip} of the batch: expected 0 to {steps} steps, not {length}'
            )
    return log_probs, list(map(int, lengths))


def check_values(best: Tensor, lengths: Sequence[int]) -> None:
    """Refuse what is no log-probability: NaN, above zero, or a step of -inf only.

    Args:
        best: (B, T) the largest value of each step; NaN counts as largest.
        lengths: Valid steps of each clip; what lies behind is not looked at.
    """
    valid = torch.arange(best.shape[1]) < torch.tensor(lengths)[:, None]
    # Rounding, or an average of probabilities, may end up slightly above zero.
    wrong = valid & ~((best <= 1e-2) & (best > -torch.inf))
    if wrong.any():
        clip, step = wrong.nonzero()[0].tolist()
        raise DataError(
            f'clip {clip} of the batch, step {step}: the largest value is '
            f'{best[clip, step]}; expected log-probabilities: logits.log_softmax(-1)'
        )


def _top_classes(
    log_probs: Tensor, lengths: Sequence[int], count: int
) -> tuple[list[list[list[int]]], list[list[list[float]]]]:
    """The most probable classes of each step, checked: (B, T, count) nested lists of
    indices and of log-probabilities, best first, equal ones by index."""
    batch, steps, num_classes = log_probs.shape
    if not steps:
        return [[]] * batch, [[]] * batch
    # One more shows whether the choice of the last was a tie, which topk breaks
    # as it likes.
    top = log_probs.topk(min(count + 1, num_classes), -1)
    values, indices = top.values.cpu(), top.indices.cpu()
    check_values(values[..., 0].double(), lengths)
    ties = (values[..., 1:] == values[..., :-1]) & (values[..., 1:] > -torch.inf)
    symbols = indices[..., :count].tolist()
    scores = values[..., :count].tolist()
    for clip, step in ties.any(-1).nonzero().tolist():
        if step < lengths[clip]:
            row = log_probs[clip, step].sort(descending=True, stable=True)
            symbols[clip][step] = row.indices[:count].tolist()
            scores[clip][step] = row.values[:count].tolist()
    return symbols, scores


def _merge_adjacent(hypothesis: Hypothesis) -> Hypothesis:
    runs = groupby(zip(hypothesis.ids, hypothesis.spans), lambda pair: pair[0])
    merged = [(symbol, [span for _, span in run]) for symbol, run in runs]
    spans = tuple((own[0][0], own[-1][1]) for _, own in merged)
    return Hypothesis(tuple(symbol for symbol, _ in merged), hypothesis.score, spans)


def _distinct_when_merged(beam: list[tuple]) -> list[tuple]:
    """The best of those that become equal when equal neighbours are merged."""
    best: dict[tuple[int, ...], tuple] = {}
    for ids, score in beam:
        best.setdefault(tuple(symbol for symbol, _ in groupby(ids)), (ids, score))
    return list(best.values())
