"""Streams of any length through a network that takes clips of some length.

Symbols: W frames of a window, H frames between the beginnings of two windows (the
hop), C = (W − H)/2 frames of context on either side, s frames per output step, V
classes with the blank.

Windows overlap, and of each only the middle is used, where the network has seen C
frames before and after: window k covers the frames kH … kH + W and commits the steps
of kH + C … kH + C + H; the first also those before, the last those after. A frame is
thus committed at most C + H frames after it was seen. A window is read when a frame
behind it comes; a stream of up to W frames, when it ends, as a clip is.
"""

import math
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmsign.datasets.io.packs import shrink
from mmsign.errors import ClipError, ConfigError

from .clip_keypoints import PERSON_SHARE, person_share
from .network import Network

SHORT_SIDE = 480
"""Of a frame that waits for the keypoints of its whole window, in pixels, at most."""

NOTHING = -30.0
"""Log-probability of everything but the blank where nobody is to be seen."""


class StreamFrame(NamedTuple):
    """A frame of a stream.

    Attributes:
        image: (height, width, 3) uint8 BGR; None if the network looks at keypoints
            alone.
        keypoints: (79, 3) in pixels, or None.
        size: (width, height) that they refer to in pixels, the frame's own.
    """

    image: np.ndarray | None
    keypoints: np.ndarray | None
    size: tuple[int, int]


@dataclass(frozen=True)
class WindowSteps:
    """What a window added.

    Attributes:
        log_probs: Per output (n, V): the next n steps, committed.
        preview: Per output (m, V): the steps after these as far as the window
            reaches; they will be replaced.
        held: How many frames of the committed repeat the stream's last one.
    """

    log_probs: dict[str, Tensor]
    preview: dict[str, Tensor]
    held: int = 0


@dataclass(eq=False)
class WindowedNetwork:
    """Frames in, one after the other; log-probabilities out: begin, step, end.

    Holds at most W + H frames, cropped and resized; whole, shrunk to ``SHORT_SIDE``,
    where the crop follows from the keypoints of a window.

    Args:
        network: The network.
        window: W, a multiple of s, at most what the network takes at once.
        hop: H, such that C is a multiple of s too.
        early: Whether to look every H frames before the first window is full, too:
            nothing is committed by that, but there is something to show.

    Attributes:
        count: Frames seen since the beginning.
        stride: The number of frames that ``end`` rounds down to a multiple of.

    Raises:
        ConfigError: If window and hop do not fit the network.
    """

    network: Network
    window: int
    hop: int
    early: bool = False

    def __post_init__(self) -> None:
        stride = self.stride = _stride(self.network)
        window, hop, longest = self.window, self.hop, self.network.pipeline.max_length
        fits = not window % stride and not (window - hop) % (2 * stride)
        if not 0 < hop <= window <= longest or not fits:
            raise ConfigError(
                f'window={window} and hop={hop} do not fit: expected multiples of '
                f'{stride}, {2 * stride} for the difference, at most {longest} frames'
            )
        self.begin()

    @property
    def delay(self) -> int:
        """C + H: frames that a step waits at most until it is committed."""
        return (self.window + self.hop) // 2

    def edges(self) -> list[int]:
        """Frames between which each window commits steps, if the stream ends now."""
        count, hop = self.count, self.hop
        full = -(-max(0, count - self.window) // hop)
        inner = (self.delay + number * hop for number in range(full))
        return [0, *(frame for frame in inner if frame < count), count]

    def begin(self) -> None:
        """Forget everything; the next frame is the first of another stream."""
        self._seen: dict = {}  # of the latest frame, by the pipeline's steps
        self._frames: deque = deque()
        self.count = 0
        self._next = 0  # where the next window begins
        self._committed = 0  # frames

    def step(self, frame: StreamFrame) -> WindowSteps | None:
        """Take one frame.

        Returns:
            What a window added, if one is complete.

        Raises:
            ClipError: If the frame has another size than the first.
        """
        pipeline = self.network.pipeline
        first = self._seen.get('frame_size', frame.size)
        if frame.size != first:
            raise ClipError(
                f'frame {self.count} of the stream has {frame.size} pixels, not {first}'
            )
        # A window is read when a frame comes behind it: a stream that ends with it is
        # read at once, as a clip is.
        steps = self._read_window() if self.count == self._next + self.window else None
        images = frame.image[None] if pipeline.needs_frames else None
        self._seen = pipeline.record('stream', frame.size)
        held = dict(keypoints=frame.keypoints) if pipeline.needs_keypoints else {}
        if pipeline.looks_at_keypoints:
            if images is not None:
                held['frames'] = shrink(frame.image, SHORT_SIDE)
        else:
            self._seen = pipeline.look(self._seen, images)
            if images is not None:
                held['frames'] = self._seen['frames'][0]
        self._frames.append(held)
        self.count += 1
        if self.early and self.count < self.window and not self.count % self.hop:
            return self._run(0, self.count, 0)
        return steps

    def _read_window(self) -> WindowSteps:
        start = self._next
        steps = self._run(start, start + self.window, start + self.delay)
        self._next += self.hop
        # What the end of the stream may need again.
        while self.count - len(self._frames) < start:
            self._frames.popleft()
        return steps

    def end(self) -> WindowSteps | None:
        """The end of the stream: commit the rest and begin anew.

        Returns:
            The last steps; None if no frame came.
        """
        steps = None
        if self.count:
            seen = self.count
            for _ in range(self._repeats()):
                self._frames.append(self._frames[-1])
                self.count += 1
            end = self.count - self.count % self.stride
            if end > self._committed or self.network.pipeline.held:
                window = max(0, end - self.window), end, end
                steps = self._run(*window, is_end=True, repeats=max(0, end - seen))
        self.begin()
        return steps

    def _repeats(self) -> int:
        """As sampling does; and a step at least."""
        repeats = self.network.pipeline.repeats(self.count)
        return max(repeats, self.stride - self.count)

    def _run(
        self, start: int, end: int, until: int, is_end: bool = False, repeats: int = 0
    ) -> WindowSteps:
        """Look at the frames start … end, the last so many of which repeat the one
        before; commit those up to until."""
        oldest, count = self.count - len(self._frames), end - start
        seen = list(islice(self._frames, start - oldest, end - oldest))
        results = dict(self._seen, num_frames=count, frame_indices=np.arange(count))
        results |= {key: np.stack([item[key] for item in seen]) for key in seen[0]}
        pipeline = self.network.pipeline
        if pipeline.looks_at_keypoints:
            results = pipeline.look(results)
        batch, _ = self.network.log_probs([pipeline.pack(results, is_end)])
        log_probs = {name: x[0] for name, x in batch.items()}
        keypoints = results.get('keypoints')
        if (
            keypoints is not None
            and person_share(keypoints, self.network.body) < PERSON_SHARE
        ):
            nothing = torch.full_like(log_probs['average'], NOTHING)
            nothing[:, self.network.model.vocab.blank_index] = 0.0
            log_probs = dict.fromkeys(log_probs, nothing)
        stride = self.network.time_stride
        held = pipeline.held if is_end else 0
        first = (self._committed - start) // stride
        last = (until - start + held) // stride
        self._committed = until
        steps = {name: x[first:last] for name, x in log_probs.items()}
        preview = {name: x[last:] for name, x in log_probs.items()}
        return WindowSteps(steps, preview, held + repeats)


def _stride(network: Network) -> int:
    """Frames that make whole steps and are whole strides of sampling."""
    return math.lcm(network.pipeline.stride, network.time_stride)


def window_for_clips(network: Network) -> tuple[int, int]:
    """Window and hop for clips that are too long to be read at once."""
    unit, longest = 4 * _stride(network), network.pipeline.max_length
    window = max(unit, longest - longest % unit)
    return window, window // 2


def window_for_streams(network: Network) -> tuple[int, int]:
    """Window and hop for a stream, as the network was trained.

    Returns:
        As long as the longest training clip if there are pauses to wait for, so that
        what is between two is read at once; else as the middle one, since nothing is
        final before its context has been seen. The hop is about a quarter. About 64
        and 16 frames if nobody has measured the clips.
    """
    unit, length, statistics = 4 * _stride(network), 64, network.statistics
    if statistics is not None:
        length = statistics.longest if statistics.rest else statistics.median
    window = min(-(-length // unit) * unit, window_for_clips(network)[0])
    # Such that the context on either side is a whole number of steps.
    return window, -(-window // (2 * unit)) * (unit // 2)
