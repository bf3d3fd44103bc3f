"""From pieces of utterances to glosses with times, as they come.

Symbols: V classes with the blank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from torch import Tensor

from mmsign.decoding import (
    CTCBeamSearch,
    Hypothesis,
    IncrementalCTC,
    StepClock,
    timed_glosses,
)
from mmsign.structures import TimedGloss
from mmsign.vocab import GlossVocabulary

from .utterances import Piece


class StreamDecoder:
    """Decode one output of a stream; memory does not grow with the stream.

    Args:
        search: Decodes.
        vocab: The glosses.
        stride: Frames per output step.
        seconds: When frames begin and end: (n,) whole numbers → two times (n,).
        output: Which output is read.
        cut_probability, max_steps: When glosses of an utterance that goes on become
            final; see ``IncrementalCTC``.

    Attributes:
        ctc: Where the steps wait.
        score: Sum of the log-probabilities of all that is final.
    """

    def __init__(
        self,
        search: CTCBeamSearch,
        vocab: GlossVocabulary,
        stride: int,
        seconds: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        output: str = 'average',
        cut_probability: float = 0.9,
        max_steps: int = 64,
    ) -> None:
        self.ctc = IncrementalCTC(search, cut_probability, max_steps, vocab.blank_index)
        self.vocab = vocab
        self.stride = stride
        self.seconds = seconds
        self.output = output
        self.score = 0.0
        self._last: TimedGloss | None = None
        self._until = 0.0

    def push(self, piece: Piece) -> list[TimedGloss]:
        """What has become final; everything has at the end of an utterance."""
        steps = piece.steps.log_probs[self.output]
        done = self.ctc.finish(steps) if piece.is_last else self.ctc.push(steps)
        final: list[TimedGloss] = []
        for segment in done:
            found = self._glosses(*segment, piece.origin)
            final += found
            self.score += segment[2].score
            if found:
                self._last, self._until = found[-1], found[-1].end
        if piece.is_last:
            self.ctc.restart()
            self._last = None
        return final

    def restart(self) -> None:
        """Another stream begins."""
        self.ctc.restart()
        self._last, self._until = None, 0.0

    def preview(self, piece: Piece) -> tuple[TimedGloss, ...]:
        """What seems to follow what is final; nothing after an utterance."""
        if piece.is_last:
            return ()
        shown = self.ctc.preview(piece.steps.preview[self.output])
        return self._glosses(*shown, piece.origin)

    def _glosses(
        self, start: int, steps: Tensor, best: Hypothesis, origin: int
    ) -> tuple[TimedGloss, ...]:
        frames = origin + start * self.stride + np.arange(len(steps) * self.stride)
        clock = StepClock(*self.seconds(frames), self.stride, 1)
        found = timed_glosses(best, steps, self.vocab, clock)
        merge = self.ctc.search.merge_adjacent
        if merge and found and self._last and found[0].symbol == self._last.symbol:
            found = found[1:]  # the same sign, cut in two
        first, end = clock.span(0, 1)
        return self._in_order(found, end - first)

    def _in_order(
        self, found: tuple[TimedGloss, ...], step: float
    ) -> tuple[TimedGloss, ...]:
        # Utterances share the frames between them in which the hands rest: a gloss
        # read there moves behind the one before, by at least a step's seconds.
        until, ordered = self._until, []
        for gloss in found:
            start, end = gloss.start, gloss.end
            if start < until:
                start, end = until, round(max(end, until + step), 4)
            until = end
            ordered.append(replace(gloss, start=start, duration=round(end - start, 4)))
        return tuple(ordered)
