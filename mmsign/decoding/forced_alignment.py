"""Forced alignment: the most probable CTC path of a known labelling (Viterbi).

Symbols: N labellings, T output steps, U symbols of a labelling, S = 2U + 1 states
(a blank before, between and after the symbols).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from mmsign.errors import DataError

Span = tuple[int, int]


def align_labellings(
    log_probs: Sequence[np.ndarray], labellings: Sequence[Sequence[int]], blank: int = 0
) -> list[tuple[Span, ...]]:
    """Align labellings: spans of the symbols on the best path of each.

    All labellings are aligned in one Viterbi pass. Of equally probable paths the
    one is taken that, followed back from the end, stays longest where it is.

    Args:
        log_probs: N arrays (T, V) of natural log-probabilities; T may differ.
        labellings: N sequences of class indices without the blank.
        blank: Index of the blank.

    Returns:
        For each labelling one half-open span (start, end) in output steps per
        symbol: the steps in which the symbol itself, not a blank, is emitted.

    Raises:
        DataError: no path of non-zero probability spells a labelling.

    Examples:
        >>> probs = np.array([[.1, .9, 0], [.5, .5, 0], [.1, .2, .7], [.9, 0, .1]])
        >>> with np.errstate(divide='ignore'):
        ...     log_probs = np.log(probs)
        >>> align_labellings([log_probs], [(1, 2)])
        [((0, 1), (2, 3))]
    """
    lengths = [len(steps) for steps in log_probs]
    if not lengths:
        return []
    states = [np.full(2 * len(labelling) + 1, blank) for labelling in labellings]
    for own, labelling in zip(states, labellings):
        own[1::2] = labelling
    most = max(map(len, states))
    # Two columns of -inf on the left stand for "no such state"; states to the
    # right of a labelling's own never lead back into it.
    emitted = np.full((max(lengths), len(states), most), -np.inf)
    skip = np.full((len(states), most), -np.inf)
    for index, (steps, own) in enumerate(zip(log_probs, states)):
        emitted[: len(steps), index, : len(own)] = steps[:, own]
        # A blank can be skipped between two different symbols.
        differs = own[3::2] != own[1:-2:2]
        skip[index, 3 : len(own) : 2] = np.where(differs, 0.0, -np.inf)
    best = np.full((max(lengths), len(states), most + 2), -np.inf)
    best[:1, :, 2:4] = emitted[:1, :, :2]
    for step in range(1, max(lengths)):
        before = best[step - 1]
        arriving = np.maximum(before[:, :-2] + skip, before[:, 1:-1])
        np.maximum(arriving, before[:, 2:], out=arriving)
        np.add(arriving, emitted[step], out=best[step, :, 2:])
    return [
        _trace(best[:length, index, 2:], skip[index], len(own), index)
        for index, (length, own) in enumerate(zip(lengths, states))
    ]


def _trace(
    best: np.ndarray, skip: np.ndarray, states: int, index: int
) -> tuple[Span, ...]:
    """Follow the best path back from its last step; where the symbols are on it."""
    if states == 1:
        return ()
    rows, can_skip = best[:, :states].tolist(), (skip == 0).tolist()
    ends = rows[-1][-2:] if rows else [-np.inf]
    if max(ends) == -np.inf:
        raise DataError(
            f'labelling {index}: no path of non-zero probability through its '
            f'{len(best)} steps spells its {states // 2} symbols'
        )
    state = states - 1 if ends[1] > ends[0] else states - 2
    path = [state]
    for row in rows[-2::-1]:
        came = state
        if state and row[state - 1] > row[came]:
            came = state - 1
        if can_skip[state] and row[state - 2] > row[came]:
            came = state - 2
        path.append(state := came)
    path.reverse()
    symbols = range(1, states, 2)
    return tuple((bisect_left(path, x), bisect_right(path, x)) for x in symbols)
