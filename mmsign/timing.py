"""When something was signed: the record of a gloss and its time, the clock of steps.

Symbols: F frames and T' output steps of a padded batch, T valid frames of a clip.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TimedGloss:
    """A gloss and when it was signed (as lhotse's ``AlignmentItem``).

    Attributes:
        symbol: Its name in the vocabulary.
        start: When it begins: in seconds, or in frames of the source video.
        duration: How long it lasts, in the same unit.
        score: Confidence, 0 to 1: the mean probability of the gloss over the output
            steps of its interval; of a network with a calibration, how often a gloss
            with that mean is right.

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
        times = dict(start=self.start, end=self.end)
        return dict(gloss=self.symbol) | times | dict(confidence=self.score)


@dataclass(frozen=True)
class StepClock:
    """When the output steps of a clip begin and end.

    Step k has seen the frames ⌊kF/T'⌋ … ⌈(k + 1)F/T'⌉ − 1 and lasts as long as they
    do; nothing lasts longer than the clip's last frame.

    Attributes:
        starts, ends: (T,) when each valid frame begins and ends, not falling: in
            seconds, or in whole frames of the source.
        frames, steps: F and T', or any two numbers in that ratio.

    Examples:
        Every second frame of a video was taken, four of them make a step:

        >>> clock = StepClock.of_frames(np.arange(10, 26, 2), frames=8, steps=2)
        >>> clock.span(0, 1), clock.span(0, 2)
        ((10, 17), (10, 25))
    """

    starts: np.ndarray
    ends: np.ndarray
    frames: int
    steps: int

    @classmethod
    def of_frames(cls, indices: np.ndarray, frames: int, steps: int) -> 'StepClock':
        """A clock in frames of the source.

        Args:
            indices: (T,) the frames that the network saw, sorted.
            frames, steps: F and T'.
        """
        return cls(indices, indices + 1, frames, steps)

    @property
    def valid_steps(self) -> int:
        """⌊T · T'/F⌋: those of the clip, without those of a batch's padding."""
        return len(self.starts) * self.steps // self.frames

    def span(self, start: int, end: int) -> tuple[float, float]:
        """When the steps start … end − 1 begin and end."""
        last = len(self.starts) - 1
        first_frame = min(start * self.frames // self.steps, last)
        last_frame = min(-(-end * self.frames // self.steps) - 1, last)
        return self.starts[first_frame].item(), self.ends[last_frame].item()

    def edges(self) -> np.ndarray:
        """Where each of n valid steps begins and the last one ends, (n + 1,)."""
        count = self.valid_steps
        first_frames = np.arange(count) * self.frames // max(self.steps, 1)
        end = self.span(0, count)[1] if count else self.ends[0]
        return np.append(self.starts[first_frames], end)
