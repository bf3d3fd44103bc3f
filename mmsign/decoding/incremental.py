"""CTC decoding of a stream that has no end: begin, step, end.

Symbols: V classes with the blank; a *segment* is a run of steps decoded at once.

At a step where the blank has probability 1, every alignment passes through the
blank, so that the best labelling of the whole is the best one of what comes before
followed by the best one of what comes after: the stream may be cut there without
changing anything. Between signs a trained network is nearly that certain. What lies
before the latest such step is decoded once and for all; what lies behind it is
decoded again whenever more steps arrive.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.structures import TimedGloss
from mmsign.timing import StepClock
from mmsign.vocab import GlossVocabulary

from .calibration import ConfidenceMap
from .ctc import CTCBeamSearch
from .outputs import timed_glosses


@dataclass(eq=False)
class IncrementalCTC:
    """Decode one output of a network, utterance by utterance, as its steps come.

    Memory and time per call are bounded by ``max_steps``. The glosses of a stream are
    in order of time, also where utterances share resting frames.

    Args:
        search: Decodes a segment.
        vocab: The glosses.
        stride: Frames per output step.
        frame_times: When frames of the stream begin and end: their numbers (n,) → two
            arrays (n,), in the unit of the glosses' times.
        cut_probability: A step may end a segment if its blank is at least this
            probable.
        max_steps: If so many steps wait without such a step, the one with the most
            probable blank is taken.
        confidences: Maps mean probabilities of glosses; see ``timed_glosses``.

    Attributes:
        score: Sum of the log-probabilities of all that is final.

    Examples:
        >>> vocab = GlossVocabulary(['RAIN', 'SUN'])
        >>> decoder = IncrementalCTC(CTCBeamSearch(), vocab, 4, lambda n: (n, n + 1))
        >>> log_probs = torch.tensor([[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]]).log()
        >>> decoder.begin(origin=100)
        >>> [(gloss.gloss, gloss.start, gloss.end) for gloss in decoder.step(log_probs)]
        [('RAIN', 100, 104)]
        >>> decoder.preview(log_probs[:1])[0].start, decoder.end(log_probs[:0])
        (108, [])
    """

    search: CTCBeamSearch
    vocab: GlossVocabulary
    stride: int
    frame_times: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    cut_probability: float = 0.9
    max_steps: int = 64
    confidences: ConfidenceMap | None = None
    score: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.cut_probability <= 1 or self.max_steps < 1:
            raise ConfigError(
                'expected cut_probability in (0, 1] and max_steps of at least 1, not '
                f'{self.cut_probability} and {self.max_steps}'
            )
        self._until = 0.0  # end of the latest final gloss
        self.begin()

    def begin(self, origin: int = 0) -> None:
        """The next step is the first of an utterance that begins at a frame."""
        self._next = origin  # frame at which what waits begins
        self._waiting = torch.empty(0)
        self._last: str | None = None  # symbol of the latest final gloss of it

    def step(self, log_probs: Tensor) -> list[TimedGloss]:
        """Take further steps.

        Args:
            log_probs: (n, V) natural log-probabilities, n may be 0.

        Returns:
            The glosses that are now final, in order.
        """
        self._waiting = torch.cat([self._waiting, log_probs])
        blanks = self._waiting[:, self.vocab.blank_index]
        certain = blanks.exp() >= self.cut_probability
        final = self._cut(int(certain.nonzero()[-1]) + 1) if certain.any() else []
        while len(self._waiting) > self.max_steps:
            blanks = self._waiting[: self.max_steps, self.vocab.blank_index]
            final += self._cut(int(blanks.argmax()) + 1)
        return final

    def preview(self, log_probs: Tensor) -> list[TimedGloss]:
        """The glosses that seem to follow what is final. Nothing is kept.

        Args:
            log_probs: (n, V) steps that are likely to come, n may be 0.
        """
        return self._decode(torch.cat([self._waiting, log_probs]))[0]

    def end(self, log_probs: Tensor, held: int = 0) -> list[TimedGloss]:
        """Take the last steps of the utterance; all its glosses are now final.

        Args:
            log_probs: (n, V) decoded with what waits as one segment, n may be 0.
            held: How many frames of them repeat the last one, at their end; nothing
                ends later than that.
        """
        self._waiting = torch.cat([self._waiting, log_probs])
        return self._cut(len(self._waiting), held)

    def _cut(self, count: int, held: int = 0) -> list[TimedGloss]:
        final, score = self._decode(self._waiting[:count], held)
        # A copy: a view would keep all that was ever concatenated.
        self._waiting = self._waiting[count:].clone()
        self._next += count * self.stride
        self.score += score
        if final:
            self._last, self._until = final[-1].symbol, final[-1].end
        return final

    def _decode(self, steps: Tensor, held: int = 0) -> tuple[list[TimedGloss], float]:
        if not len(steps):
            return [], 0.0
        frames = self._next + np.arange(len(steps) * self.stride)
        if held:
            frames = frames.clip(max=frames[0] + len(frames) - held - 1)
        clock = StepClock(*self.frame_times(frames), self.stride, 1)
        best = self.search(steps[None], blank=self.vocab.blank_index)[0][0]
        found = timed_glosses(best, steps, self.vocab, clock, self.confidences)
        if self.search.merge_adjacent and self._last in [g.symbol for g in found[:1]]:
            found = found[1:]  # the same sign, cut in two
        # Utterances share the frames between them in which the hands rest: a gloss
        # found there moves behind the one before, and lasts at least a step.
        begins, ends = clock.span(0, 1)
        # What is found while the last frame is held shares its time.
        latest = clock.ends[-1].item() if held else math.inf
        until, ordered = self._until, []
        for gloss in found:
            if gloss.start < until < latest:
                end = min(max(gloss.end, until + ends - begins), latest)
                gloss = replace(gloss, start=until, duration=round(end - until, 4))
            until = gloss.end
            ordered.append(gloss)
        return ordered, best.score
