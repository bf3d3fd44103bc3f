"""Streaming CTC decoding.

Symbols: V classes with the blank; a *segment* is a run of steps decoded at once.

At a step where the blank has probability 1, every alignment passes through the
blank, so that the best labelling of the whole is the best one of what comes before
followed by the best one of what comes after: the stream may be cut there without
changing anything. Between signs a trained network is nearly that certain. What lies
before the latest such step is decoded once and committed; what lies behind it is
decoded again whenever more steps arrive.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmsign.errors import ConfigError

from .ctc import CTCBeamSearch, Hypothesis


class IncrementalCTC:
    """Cut a stream of log-probabilities into segments; decode and commit each.

    Memory and time per call are bounded by ``max_steps``.

    Args:
        search: Decodes a segment.
        cut_probability: A step may end a segment if its blank is at least this
            probable.
        max_steps: If so many steps wait without such a step, the one with the most
            probable blank is taken.
        blank: Index of the blank.

    Raises:
        ConfigError: cut_probability or max_steps is out of range.

    Examples:
        >>> probs = torch.tensor([[.1, .9, 0], [1, 0, 0], [.2, 0, .8]])
        >>> decoder = IncrementalCTC(CTCBeamSearch(beam_width=5))
        >>> for start, steps, best in decoder.push(probs.log()):
        ...     print(start, len(steps), best.ids)  # up to the certain blank
        0 2 (1,)
        >>> [best.ids for start, steps, best in decoder.finish()]
        [(2,)]
    """

    def __init__(
        self,
        search: CTCBeamSearch,
        cut_probability: float = 0.9,
        max_steps: int = 64,
        blank: int = 0,
    ) -> None:
        if not 0 < cut_probability <= 1 or max_steps < 1:
            raise ConfigError(
                'cut_probability must be in (0, 1] and max_steps at least 1, not '
                f'{cut_probability} and {max_steps}'
            )
        self.search = search
        self.cut_probability = cut_probability
        self.max_steps = max_steps
        self.blank = blank
        self._pending: Tensor | None = None
        self._start = 0

    @property
    def start(self) -> int:
        """Number of committed steps, which will not be decoded again."""
        return self._start

    def push(self, log_probs: Tensor) -> list[tuple[int, Tensor, Hypothesis]]:
        """Take further steps; commit what can be.

        Args:
            log_probs: (n, V) natural log-probabilities, n may be 0.

        Returns:
            The segments that are now committed, in order: index of the first
            step, the steps (n', V) and their best labelling.
        """
        self._pending = pending = self._with(log_probs)
        done = []
        certain = pending[:, self.blank].exp() >= self.cut_probability
        if certain.any():
            done.append(self._cut(int(certain.nonzero()[-1]) + 1))
        while len(self._pending) > self.max_steps:
            blanks = self._pending[: self.max_steps, self.blank]
            done.append(self._cut(int(blanks.argmax()) + 1))
        return done

    def preview(self, log_probs: Tensor) -> tuple[int, Tensor, Hypothesis]:
        """Decode the pending steps together with some that may still change.

        Args:
            log_probs: (n, V) what is likely to follow, n may be 0.

        Returns:
            As one segment of ``push``. Nothing is kept.
        """
        steps = self._with(log_probs)
        return self._start, steps, self._decode(steps)

    def finish(
        self, log_probs: Tensor | None = None
    ) -> list[tuple[int, Tensor, Hypothesis]]:
        """Commit the pending steps as one segment; the next step pushed follows.

        Args:
            log_probs: (n, V) the last steps, uncut; None for no more.
        """
        if log_probs is not None:
            self._pending = self._with(log_probs)
        if self._pending is None or not len(self._pending):
            return []
        return [self._cut(len(self._pending))]

    def restart(self) -> None:
        """Forget the pending steps; the next one begins another stream."""
        self._pending, self._start = None, 0

    def _with(self, log_probs: Tensor) -> Tensor:
        if self._pending is None:
            return log_probs
        return torch.cat([self._pending, log_probs])

    def _cut(self, count: int) -> tuple[int, Tensor, Hypothesis]:
        start, steps = self._start, self._pending[:count]
        # A copy: a view would keep all that was ever concatenated.
        self._pending = self._pending[count:].clone()
        self._start += count
        return start, steps, self._decode(steps)

    def _decode(self, steps: Tensor) -> Hypothesis:
        return self.search(steps[None], blank=self.blank)[0][0]
