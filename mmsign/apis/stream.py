"""A stream taken apart where the hands rest; each part is read like a training clip.

Symbols: W frames of the windows below, R resting frames at the ends of a clip.

An *utterance* begins R frames before the hands leave their rest and ends R frames
after they came back; at a shorter rest, of ``PAUSE`` frames at least, two share the
resting frames. One of up to W frames is looked at once when it has ended, so exactly
as if it were a clip; a longer one in overlapping windows. Between them nothing is
computed. Without a rest pose the stream is one endless utterance.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mmsign.decoding import IncrementalCTC
from mmsign.structures import TimedGloss

from .clip_statistics import ClipStatistics
from .windows import StreamFrame, WindowedNetwork, WindowSteps

PAUSE = 2
"""Resting frames in a row that end an utterance; one alone may be an error."""

Glosses = dict[str, list[TimedGloss]]


@dataclass(eq=False)
class StreamReader:
    """Frames in, one after the other; glosses out as they become final.

    One reader is for one stream, a long clip or what a camera sees; its memory does
    not grow with it.

    Args:
        windows: The network.
        statistics: Of the training clips; None, or without a rest pose: no pauses.
        decoders: By the name of the output that each decodes.
        pieces: If a list, it gets the first frame and that behind the last of each
            piece that is read: an utterance, or what a window adds of a longer one.
    """

    windows: WindowedNetwork
    statistics: ClipStatistics | None
    decoders: Mapping[str, IncrementalCTC]
    pieces: list[tuple[int, int]] | None = None

    def __post_init__(self) -> None:
        self.rest = self.statistics and self.statistics.rest
        self._count = 0  # frames seen
        self._signing = False
        self._is_resting = True
        self._resting: deque = deque(maxlen=self.rest and self.rest.frames)
        self._run = 0  # resting frames in a row
        self._final: Glosses | None = None
        self._latest: WindowSteps | None = None  # of the utterance that goes on

    def step(self, frame: StreamFrame) -> Glosses | None:
        """Take one frame.

        Returns:
            By output the glosses that are now final; None if the network had nothing
            to look at yet.

        Raises:
            ClipError: If the frame has another size than the first.
        """
        self._count += 1
        self._final = None
        # Where nothing tells, the hands move.
        before, self._is_resting = self._is_resting, False
        if self.rest is not None and frame.keypoints is not None:
            self._is_resting = bool(self.rest.resting(frame.keypoints[None], before)[0])
        if self._is_resting:
            self._run += 1
            self._resting.append(frame)
            if self._signing:
                self._look(frame)
                if self._run >= max(PAUSE, self.rest.frames):
                    self._end()
            return self._final
        if self._signing and self._run >= PAUSE:
            self._end()
        if not self._signing:
            self._signing = True
            self._first = self._count - 1 - len(self._resting)
            for decoder in self.decoders.values():
                decoder.begin(self._first)
            for before in self._resting:
                self._look(before)
        self._run = 0
        self._resting.clear()
        self._look(frame)
        return self._final

    def end(self) -> Glosses | None:
        """The end of the stream: all that waits becomes final."""
        self._final = None
        if self._signing:
            self._end()
        return self._final

    def preview(self, output: str) -> list[TimedGloss]:
        """What seems to follow what is final; nothing between utterances."""
        if self._latest is None:
            return []
        return self.decoders[output].preview(self._latest.preview[output])

    def _look(self, frame: StreamFrame) -> None:
        self._seen = frame
        steps = self.windows.step(frame)
        self._latest = steps or self._latest
        self._take(steps)

    def _end(self) -> None:
        self._signing, self._latest = False, None
        if self.rest is not None and self._seen.keypoints is not None:
            if self.windows.count < self.statistics.shortest / 2:
                self.windows.begin()  # a twitch
                return
            # Nothing of it is dropped: the last frame is shown until a step is full.
            while self.windows.count % self.windows.stride:
                self._look(self._seen)
        self._latest = None
        if self.pieces is not None:
            self.pieces += pairwise(self._first + e for e in self.windows.edges())
        self._take(self.windows.end(), is_last=True)

    def _take(self, steps: WindowSteps | None, is_last: bool = False) -> None:
        if steps is not None and self._final is None:
            self._final = {name: [] for name in self.decoders}
        for name, decoder in self.decoders.items() if steps else ():
            log_probs = steps.log_probs[name]
            if is_last:
                self._final[name] += decoder.end(log_probs, steps.held)
            else:
                self._final[name] += decoder.step(log_probs)


def count_utterances(keypoints: np.ndarray, statistics: ClipStatistics) -> int:
    """How many there are in a clip.

    Args:
        keypoints: (N, 79, 3).
        statistics: With a rest pose.
    """
    moving = np.flatnonzero(~statistics.rest.resting(keypoints))
    return int(len(moving) > 0) + int((np.diff(moving) > PAUSE).sum())
