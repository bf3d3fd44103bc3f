"""A stream taken apart where the hands rest; each part is read like a training clip.

Symbols: W frames of the windows below, R resting frames at the ends of a clip.

An *utterance* begins R frames before the hands leave their rest and ends R frames
after they came back; at a shorter rest, of ``PAUSE`` frames at least, two share the
resting frames. One of up to W frames is read at once when it has ended, so exactly as
if it were a clip; a longer one in overlapping windows. Between them nothing is
computed. Without a rest pose the stream is one endless utterance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .clip_statistics import ClipStatistics
from .windows import Stitched, WindowedNetwork

PAUSE = 2
"""Resting frames in a row that end an utterance; one alone may be an error."""

Item = tuple


@dataclass(frozen=True)
class Piece:
    """News of an utterance.

    Attributes:
        steps: What its frames so far say; nothing new to count on if empty.
        origin: Frame of the stream at which its steps begin.
        is_last: Whether it has ended.
    """

    steps: Stitched
    origin: int
    is_last: bool


class UtteranceReader:
    """Frames in, one after the other; pieces of utterances out.

    Memory does not grow with the stream.

    Args:
        windows: Reads; restarted here.
        habits: Of the training clips; None, or without a rest pose: no pauses.
    """

    def __init__(self, windows: WindowedNetwork, habits: ClipStatistics | None) -> None:
        self.windows = windows
        self.habits = habits
        self.rest = None if habits is None else habits.rest
        self._restart()

    def _restart(self) -> None:
        self.windows.restart()
        self._count = 0  # frames seen
        self._origin = 0
        self._signing = self.rest is None
        self._is_resting = True
        self._resting: deque[Item] = deque(maxlen=self.rest and self.rest.frames)
        self._run = 0  # resting frames in a row

    def push(
        self,
        frame: np.ndarray | None,
        keypoints: np.ndarray | None,
        frame_size: tuple[int, int] | None = None,
    ) -> list[Piece]:
        """Take one frame; see ``WindowedNetwork.push``.

        Raises:
            ClipError: If the frame has another size than the first.
        """
        item = frame, keypoints, frame_size
        self._count += 1
        if self.rest is None or keypoints is None:
            self._signing = True
            return list(self._read(item))
        self._is_resting = bool(self.rest.resting(keypoints[None], self._is_resting)[0])
        if self._is_resting:
            return self._push_resting(item)
        return self._push_moving(item)

    def finish(self) -> list[Piece]:
        """The end of the stream; the reader is then ready for another."""
        pieces = self._end() if self._signing else []
        self._restart()
        return pieces

    def _push_resting(self, item: Item) -> list[Piece]:
        self._run += 1
        self._resting.append(item)
        if not self._signing:
            return []
        pieces = list(self._read(item))
        if self._run >= max(PAUSE, self.rest.frames):
            pieces += self._end()
        return pieces

    def _push_moving(self, item: Item) -> list[Piece]:
        pieces = []
        if self._signing and self._run >= PAUSE:
            pieces += self._end()
        if not self._signing:
            self._signing = True
            self._origin = self._count - 1 - len(self._resting)
            for resting in self._resting:
                pieces += self._read(resting)
        self._run = 0
        self._resting.clear()
        return [*pieces, *self._read(item)]

    def _read(self, item: Item) -> Iterator[Piece]:
        self._item = item
        steps = self.windows.push(*item)
        if steps is not None:
            yield Piece(steps, self._origin, False)

    def _end(self) -> list[Piece]:
        self._signing = False
        pieces: list[Piece] = []
        if self.rest is not None and self._item[1] is not None:
            if self.windows.count < self.habits.shortest / 2:
                self.windows.restart()  # a twitch
                return []
            # Nothing of it is dropped: the last frame is shown until a step is full.
            while self.windows.count % self.windows.stride:
                pieces += self._read(self._item)
        steps = self.windows.finish()
        if steps is not None:
            pieces.append(Piece(steps, self._origin, True))
        return pieces


def count_utterances(keypoints: np.ndarray, habits: ClipStatistics) -> int:
    """How many there are in a clip.

    Args:
        keypoints: (N, 79, 3).
        habits: With a rest pose.
    """
    resting = habits.rest.resting(keypoints)
    count, run, signing = 0, 0, False
    for rests in resting:
        run = run + 1 if rests else 0
        if not rests and not signing:
            signing = True
            count += 1
        elif run >= PAUSE:
            signing = False
    return count
