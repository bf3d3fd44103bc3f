"""Frames as they come, at whatever times, to frames at the rate of training.

The same rule as ``frame_rate.resample``, one frame at a time: each tick takes the
nearest frame, of two equally near ones the earlier. So a frame is handed on when the
next one has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from mmsign.errors import ConfigError

Item = TypeVar('Item')


class FrameClock(Generic[Item]):
    """Repeat or drop items so that they come at a steady rate.

    Args:
        rate: Ticks per second.

    Examples:
        >>> clock = FrameClock(rate=25)
        >>> times = (0.00, 0.08, 0.10, 0.16)  # uneven
        >>> [*(x for t in times for x in clock.push(t, t)), *clock.finish()]
        [0.0, 0.0, 0.08, 0.1, 0.16, 0.16]
    """

    def __init__(self, rate: float) -> None:
        if not rate > 0:
            raise ConfigError(f'rate must be positive, not {rate}')
        self.rate = rate
        self._held: tuple[float, Item] | None = None
        self._start = 0.0
        self._ticks = 0
        self._gap = 0.0

    def push(self, time: float, item: Item) -> Iterator[Item]:
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
            self._start = time
            self._held = time, item
            return
        before, held = self._held
        if not time > before:
            raise ConfigError(
                f'a frame at {time:.3f} s after one at {before:.3f} s: times must rise'
            )
        self._gap = time - before
        self._held = time, item
        middle = (before + time) / 2
        while self._start + self._ticks / self.rate <= middle:
            self._ticks += 1
            yield held

    def finish(self) -> Iterator[Item]:
        """The last item, shown as long as the one before it; begins anew."""
        if self._held is None:
            return
        time, held = self._held
        end = time - self._start + (self._gap or 1 / self.rate)
        total = max(1, round(end * self.rate))
        self._held = None
        missing, self._ticks, self._gap = total - self._ticks, 0, 0.0
        for _ in range(missing):
            yield held
