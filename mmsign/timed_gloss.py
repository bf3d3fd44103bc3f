"""The one record of a gloss and its time, for every format; needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TimedGloss:
    """A gloss and when it was signed (as lhotse's ``AlignmentItem``).

    Attributes:
        symbol: Its name in the vocabulary.
        start: When it begins: in seconds, or in frames of the source video.
        duration: How long it lasts, in the same unit.
        score: Mean probability of the gloss over the output steps of its interval, 0
            to 1. Not calibrated.

    Examples:
        >>> rain = TimedGloss('RAIN', 0.48, 0.16, 0.93)
        >>> rain.gloss, rain.end, rain.confidence
        ('RAIN', 0.64, 0.93)
    """

    symbol: str
    start: float
    duration: float
    score: float = 1.0

    @property
    def gloss(self) -> str:
        """``symbol``."""
        return self.symbol

    @property
    def end(self) -> float:
        """The interval is half-open: [start, end)."""
        return round(self.start + self.duration, 4)

    @property
    def confidence(self) -> float:
        """``score``."""
        return self.score

    def to_dict(self) -> dict:
        """``gloss``, ``start``, ``end`` and ``confidence``, ready for JSON."""
        return dict(
            gloss=self.symbol, start=self.start, end=self.end, confidence=self.score
        )
