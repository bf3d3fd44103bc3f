"""Input of the decoders: checks, and the best classes of each step.

Symbols: B clips, T output steps, V classes with the blank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import DataError


def check_shapes(
    log_probs: Tensor | np.ndarray, lengths: Tensor | Sequence[int] | None, blank: int
) -> tuple[Tensor, list[int]]:
    """Check and convert: (B, T, V) without gradient, float32 or 64, and B lengths.

    Raises:
        DataError: not floating point of three dimensions; a length is no
            number of steps; the blank is no class. The clip's index is named.
    """
    log_probs = torch.as_tensor(log_probs).detach()
    if log_probs.ndim != 3 or not log_probs.is_floating_point():
        raise DataError(
            'log_probs must be floating point of shape (B, T, V), not '
            f'{log_probs.dtype} {tuple(log_probs.shape)}'
        )
    if log_probs.dtype not in (torch.float32, torch.float64):
        log_probs = log_probs.float()  # exact; the half types lack operations
    batch, steps, num_classes = log_probs.shape
    if not 0 <= blank < num_classes:
        raise DataError(f'blank must be an index of {num_classes} classes, not {blank}')
    if lengths is None:
        lengths = [steps] * batch
    lengths = torch.as_tensor(lengths).tolist()
    if len(lengths) != batch:
        raise DataError(f'{len(lengths)} lengths for a batch of {batch} clips')
    for clip, length in enumerate(lengths):
        if not 0 <= length <= steps or length != int(length):
            raise DataError(
                f'clip {clip} of the batch: length {length} is not a number of steps '
                f'between 0 and T = {steps}'
            )
    return log_probs, [int(length) for length in lengths]


def check_values(best: Tensor, lengths: Sequence[int]) -> None:
    """Refuse what is no log-probability.

    Args:
        best: (B, T) the largest value of each step; NaN counts as largest.
        lengths: Valid steps of each clip; what lies behind is not looked at.

    Raises:
        DataError: NaN, a value above zero, or a step of -inf only. The clip's
            index and the step are named.
    """
    steps = torch.arange(best.shape[1])
    valid = steps < torch.tensor(lengths)[:, None]
    # Rounding, or an average of probabilities, may end up slightly above zero.
    wrong = valid & ~((best <= 1e-2) & (best > -torch.inf))
    if not wrong.any():
        return
    clip, step = wrong.nonzero()[0].tolist()
    value = best[clip, step].item()
    what = (
        'every class has probability zero'
        if value == -torch.inf
        else f'the largest value is {value}'
    )
    raise DataError(
        f'clip {clip} of the batch, step {step}: {what}; expected '
        'log-probabilities, e.g. logits.log_softmax(-1)'
    )


def top_classes(
    log_probs: Tensor, lengths: Sequence[int], count: int
) -> tuple[list[list[list[int]]], list[list[list[float]]]]:
    """The ``count`` most probable classes of each step, checked.

    Returns:
        (B, T, count) nested lists of class indices and of log-probabilities,
        best first, equal ones by index.

    Raises:
        DataError: see ``check_values``.
    """
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
            row = log_probs[clip, step]
            # In order of index; sorting keeps that order among equal ones.
            kept = (row >= values[clip, step, count - 1]).nonzero()[:, 0].tolist()
            pairs = zip(row[kept].tolist(), kept)
            pairs = sorted(pairs, key=lambda pair: -pair[0])[:count]
            scores[clip][step] = [score for score, _ in pairs]
            symbols[clip][step] = [symbol for _, symbol in pairs]
    return symbols, scores
