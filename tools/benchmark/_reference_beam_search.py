"""Prefix beam search as it is defined, to measure and test the fast one against."""

from __future__ import annotations

import math

import numpy as np


def reference_beam_search(
    log_probs: np.ndarray, beam_width: int, blank: int = 0
) -> list[tuple[tuple[int, ...], float]]:
    """Prefix beam search written down as it is defined, without regard to time.

    Args:
        log_probs: (T, V) natural log-probabilities.

    Returns:
        The last beam, best first: (symbols, log-probability).
    """
    beam = {(): (0.0, -math.inf)}
    for row in log_probs.tolist():
        by_probability = sorted(range(len(row)), key=lambda s: -row[s])
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(prefix, ends_blank, ends_symbol, grown=grown):
            before = grown.get(prefix, (-math.inf, -math.inf))
            grown[prefix] = (
                log_add(before[0], ends_blank),
                log_add(before[1], ends_symbol),
            )

        for prefix, (ends_blank, ends_symbol) in beam.items():
            repeated = ends_symbol + row[prefix[-1]] if prefix else -math.inf
            add(prefix, log_add(ends_blank, ends_symbol) + row[blank], repeated)
        for prefix, (ends_blank, ends_symbol) in beam.items():
            total = log_add(ends_blank, ends_symbol)
            last = list(prefix[-1:])
            for symbol in last + [s for s in by_probability if s not in last]:
                if symbol != blank:
                    come = ends_blank if [symbol] == last else total
                    add((*prefix, symbol), -math.inf, come + row[symbol])
        scored = [(log_add(*parts), prefix) for prefix, parts in grown.items()]
        # Stable: equal ones stay in the order in which they were made.
        scored.sort(key=lambda item: -item[0])
        beam = {p: grown[p] for s, p in scored[:beam_width] if s > -math.inf}
    return [(prefix, log_add(*parts)) for prefix, parts in beam.items()]


def log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
