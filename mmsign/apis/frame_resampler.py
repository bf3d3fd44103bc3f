"""Frames as they come, at whatever times, to frames at the rate of training.

The same rule as ``mmsign.datasets.io.frame_times.resample``, one frame at a time: each
tick takes the nearest frame, of two equally near ones the earlier. So a frame is handed
on when the next one has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from mmsign.datasets.io.frame_times import checked_fps, longest_still
from mmsign.errors import ConfigError

Item = TypeVar('Item')


class FrameResampler(Generic[Item]):
    """Repeat or drop items so that they come at a steady rate.

    Args:
        rate: Ticks per second.

    Raises:
        ConfigError: If there is no such rate.
    """

    def __init__(self, rate: float) -> None:
        self.rate = checked_fps(rate, 'rate')
        self._held: tuple[float, Item] | None = None
        # Of each piece without a pause its first tick, and its time.
        self._starts: list[tuple[int, float]] = [(0, 0.0)]
        self._ticks = 0
        self._gap = 0.0

    def seconds(self, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When ticks (n,) begin and end, in seconds from the first item, (n,) each."""
        firsts, times = map(np.array, zip(*self._starts))
        piece = np.searchsorted(firsts, ticks, side='right') - 1
        begin = times[piece] - times[0] + (ticks - firsts[piece]) / self.rate
        return begin, begin + 1 / self.rate

    def step(self, time: float, item: Item) -> Iterator[Item]:
        """Take an item.

        Args:
            time: In seconds, later than the one before.
            item: Anything.

        Yields:
            The item before, as often as there are ticks nearest to it.

        Raises:
            ValueError: If time does not rise.
        """
        if self._held is None:
            self._starts, self._ticks, self._gap = [(0, time)], 0, 0.0
            self._held = time, item
            return
        before, held = self._held
        if not time > before:
            raise ConfigError(
                f'a frame at {time:.3f} s after one at {before:.3f} s: times must rise'
            )
        if time - before > longest_still(self._gap):  # a pause
            yield from self._rest()
            self._starts.append((self._ticks, time))
            self._held = time, item
            return
        self._gap = time - before
        self._held = time, item
        first, start = self._starts[-1]
        while start + (self._ticks - first) / self.rate <= (before + time) / 2:
            self._ticks += 1
            yield held

    def end(self) -> Iterator[Item]:
        """The last item, shown as long as the one before it; begins anew."""
        if self._held is not None:
            yield from self._rest()
        self._held = None

    def _rest(self) -> Iterator[Item]:
        """The held item until the end of its piece."""
        time, held = self._held
        first, start = self._starts[-1]
        end = time - start + (self._gap or 1 / self.rate)
        stop = first + max(1, round(end * self.rate))
        while self._ticks < stop:
            self._ticks += 1
            yield held
