"""CTC decoding of a stream that has no end: begin, step, end.

Symbols: V classes with the blank; a *segment* is a run of steps decoded at once.

At a step where the blank has probability 1, every alignment passes through the
blank, so that the best labelling of the whole is the best one of what comes before
followed by the best one of what comes after: the stream may be cut there without
changing anything. Between signs a trained network is nearly that certain. What lies
before the latest such step is decoded once and for all; what lies behind it is
decoded again whenever more steps arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import ConfigError
from mmsign.structures import TimedGloss
from mmsign.timing import StepClock
from mmsign.vocab import GlossVocabulary

from .ctc import CTCBeamSearch
from .outputs import timed_glosses


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

    def __init__(
        self,
        search: CTCBeamSearch,
        vocab: GlossVocabulary,
        stride: int,
        frame_times: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        cut_probability: float = 0.9,
        max_steps: int = 64,
    ) -> None:
        if not 0 < cut_probability <= 1 or max_steps < 1:
            raise ConfigError(
                'cut_probability must be in (0, 1] and max_steps at least 1, not '
                f'{cut_probability} and {max_steps}'
            )
        self.search = search
        self.vocab = vocab
        self.stride = stride
        self.frame_times = frame_times
        self.cut_probability = cut_probability
        self.max_steps = max_steps
        self.score = 0.0
        self._until = 0.0  # end of the latest final gloss
        self.begin()

    def begin(self, origin: int = 0) -> None:
        """The next step is the first of an utterance that begins at a frame."""
        self._next = origin  # frame at which what waits begins
        self._waiting: Tensor | None = None
        self._last: TimedGloss | None = None

    def step(self, log_probs: Tensor) -> list[TimedGloss]:
        """Take further steps.

        Args:
            log_probs: (n, V) natural log-probabilities, n may be 0.

        Returns:
            The glosses that are now final, in order.
        """
        self._waiting = self._with_waiting(log_probs)
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
        return self._decode(self._with_waiting(log_probs))[0]

    def end(self, log_probs: Tensor) -> list[TimedGloss]:
        """Take the last steps of the utterance; all its glosses are now final.

        Args:
            log_probs: (n, V) decoded with what waits as one segment, n may be 0.
        """
        self._waiting = self._with_waiting(log_probs)
        return self._cut(len(self._waiting))

    def _with_waiting(self, log_probs: Tensor) -> Tensor:
        if self._waiting is None:
            return log_probs
        return torch.cat([self._waiting, log_probs])

    def _cut(self, count: int) -> list[TimedGloss]:
        final, score = self._decode(self._waiting[:count])
        # A copy: a view would keep all that was ever concatenated.
        self._waiting = self._waiting[count:].clone()
        self._next += count * self.stride
        self.score += score
        if final:
            self._last, self._until = final[-1], final[-1].end
        return final

    def _decode(self, steps: Tensor) -> tuple[list[TimedGloss], float]:
        if not len(steps):
            return [], 0.0
        frames = self._next + np.arange(len(steps) * self.stride)
        clock = StepClock(*self.frame_times(frames), self.stride, 1)
        best = self.search(steps[None], blank=self.vocab.blank_index)[0][0]
        found = timed_glosses(best, steps, self.vocab, clock)
        merges = self.search.merge_adjacent and found and self._last is not None
        if merges and found[0].symbol == self._last.symbol:
            found = found[1:]  # the same sign, cut in two
        # Utterances share the frames between them in which the hands rest: a gloss
        # found there moves behind the one before, and lasts at least a step.
        begins, ends = clock.span(0, 1)
        until, ordered = self._until, []
        for gloss in found:
            start, end = gloss.start, gloss.end
            if start < until:
                start, end = until, max(end, until + ends - begins)
            gloss = replace(gloss, start=start, duration=round(end - start, 4))
            until = gloss.end
            ordered.append(gloss)
        return ordered, best.score
