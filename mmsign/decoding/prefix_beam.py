"""CTC prefix beam search over one clip (Hannun et al. 2014, algorithm 1).

Symbols: T output steps, V classes with the blank, W beam width, K symbols that
can start a new prefix at a step.

A prefix is a labelling decoded so far. Its probability is the sum over the
alignments that collapse to it, kept in two parts: those that end in a blank and
those that end in its last symbol (only the former may repeat that symbol). Per
step every prefix of the beam either stays as it is or grows by one symbol; the
W most probable results are the next beam.

Everything is in natural logarithms and double precision.
"""

from collections.abc import Sequence
from heapq import heapify, heapreplace
from itertools import count
from math import exp, inf, log1p

ROOT = 0  # node of the empty prefix


def candidate_count(beam_width: int, num_classes: int) -> int:
    """K: how many of a step's most probable symbols the search has to look at.

    A prefix grows by a symbol that is neither the blank, nor its own last
    symbol, nor one that leads to another prefix of the beam (the beam holds at
    most W - 1 others): these W + 1 cases are handled apart, with the exact
    probability of the symbol. All other symbols rank, for one prefix, in the
    order of their own probability. Among the 2W + 1 most probable symbols at
    least W are such; whatever comes after them is beaten by W results and cannot
    enter a beam of W.
    """
    return min(2 * beam_width + 1, num_classes)


def prefix_beam_search(
    scores: Sequence[float],
    top_symbols: Sequence[Sequence[int]],
    top_scores: Sequence[Sequence[float]],
    num_classes: int,
    beam_width: int,
    blank: int,
) -> list[tuple[tuple[int, ...], float]]:
    """Search one clip.

    Equal results are told apart without chance: the one whose prefix was ahead
    stays ahead, a prefix that stays goes before one that grew, a repeated symbol
    before other symbols, then the more probable symbol, then the lower index.

    Args:
        scores: Flat (T · V) log-probabilities, step after step; any buffer
            that yields Python floats.
        top_symbols: (T, K) the most probable symbols of each step, best first,
            equal ones by index.
        top_scores: (T, K) their log-probabilities.
        num_classes: V.
        beam_width: W.
        blank: Index of the blank.

    Returns:
        The last beam, best first: (symbols, log of the summed probability of
        the alignments that stayed in the beam).
    """
    # Prefixes are nodes of a tree. `children` gives a prefix that left the beam
    # and comes back its old node, so that prefixes grown from it still find it.
    parents = [-1]
    symbols = [-1]
    children: dict[int, int] = {}
    # The beam, best first: node, log-probability of ending in a blank, of ending
    # in the last symbol, and of either.
    beam = [(ROOT, 0.0, -inf, 0.0)]
    for step, (step_symbols, step_scores) in enumerate(zip(top_symbols, top_scores)):
        row = step * num_classes
        blank_score = scores[row + blank]
        place = {entry[0]: index for index, entry in enumerate(beam)}
        # Symbols each prefix must not grow by: the blank, its last symbol (a
        # case apart), and those that lead to a prefix already in the beam.
        taken = [[blank, symbols[entry[0]]] for entry in beam]
        # A heap of the W best: (score, -order, node, ends blank, ends symbol,
        # symbol to grow by or -1). Orders are unique, so comparisons end there.
        heap: list[tuple] = []
        orders = count(0, -1)

        for node, _, ends_symbol, total in beam:
            symbol = symbols[node]
            new_blank = total + blank_score
            if node == ROOT:
                new_symbol = -inf
            else:
                symbol_score = scores[row + symbol]
                new_symbol = ends_symbol + symbol_score
                parent = place.get(parents[node])
                if parent is not None:
                    # Merge: the parent, also in the beam, grows into this one.
                    taken[parent].append(symbol)
                    above, above_blank, _, above_total = beam[parent]
                    repeats = symbols[above] == symbol
                    grown = symbol_score + (above_blank if repeats else above_total)
                    new_symbol = _log_add(grown, new_symbol)
            score = _log_add(new_blank, new_symbol)
            heap.append((score, next(orders), node, new_blank, new_symbol, -1))

        # Empty places, which anything possible takes.
        for _ in range(beam_width - len(beam)):
            heap.append((-inf, next(orders), ROOT, -inf, -inf, -1))
        heapify(heap)
        worst = heap[0][0]
        best_step_score = step_scores[0]
        for (node, ends_blank, _, total), closed in zip(beam, taken):
            if total + best_step_score <= worst:
                break  # nor can any prefix behind this one
            if node != ROOT:
                symbol = symbols[node]
                score = ends_blank + scores[row + symbol]
                if score > worst and symbol not in closed[2:]:
                    heapreplace(heap, (score, next(orders), node, -inf, score, symbol))
                    worst = heap[0][0]
            for symbol, symbol_score in zip(step_symbols, step_scores):
                score = total + symbol_score
                if score <= worst:
                    break
                if symbol in closed:
                    continue
                heapreplace(heap, (score, next(orders), node, -inf, score, symbol))
                worst = heap[0][0]

        heap.sort(reverse=True)
        beam = []
        for score, _, node, ends_blank, ends_symbol, symbol in heap:
            if score == -inf:
                break
            if symbol >= 0:
                key = node * num_classes + symbol
                if key not in children:
                    children[key] = len(parents)
                    parents.append(node)
                    symbols.append(symbol)
                node = children[key]
            beam.append((node, ends_blank, ends_symbol, score))
    return [(_spell(node, parents, symbols), total) for node, _, _, total in beam]


def _log_add(a: float, b: float) -> float:
    """ln(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log1p(exp(b - a))


def _spell(node: int, parents: list[int], symbols: list[int]) -> tuple[int, ...]:
    reverse = []
    while node != ROOT:
        reverse.append(symbols[node])
        node = parents[node]
    return tuple(reverse[::-1])
