"""Predictions as a network makes them."""

from __future__ import annotations

from collections.abc import Sequence

from mmsign.structures import GlossPrediction, TimedGloss


def prediction(
    glosses: Sequence[str],
    spans: Sequence[tuple[int, int]] | None = None,
    score: float = -1.0,
) -> GlossPrediction:
    """One output's glosses; by default each lasts four frames."""
    if spans is None:
        spans = [(4 * i, 4 * i + 4) for i in range(len(glosses))]
    timed = [TimedGloss(g, a, b - a) for g, (a, b) in zip(glosses, spans, strict=True)]
    return GlossPrediction(tuple(timed), score, ((tuple(glosses), score),))
