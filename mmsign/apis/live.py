"""Recognition while the signing goes on.

Symbols: W frames of a window, H frames of its hop, C = (W − H)/2 frames of context;
see ``windows.py``. Where the hands rest, the stream is taken apart: ``stream.py``.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from mmsign.datasets.io.frame_times import DEFAULT_FPS, checked_fps, longest_still
from mmsign.decoding import AVERAGE, Calibration, IncrementalCTC
from mmsign.errors import ClipError, ConfigError
from mmsign.keypoints import misplaced, unusual_posture
from mmsign.notices import warn
from mmsign.structures import TimedGloss

from .clip_keypoints import Estimator, selected
from .clips import ArrayFrames
from .network import Network
from .stream import StreamReader
from .windows import StreamFrame, WindowedNetwork, window_for_streams

_NOT_THERE = object()


@dataclass(frozen=True)
class LiveEvent:
    """News of a stream.

    Attributes:
        final: Glosses that have become certain; they will not be taken back. Times
            are seconds from the first frame.
        partial: What seems to follow them; the next event's replaces it.
        seconds: How much of the stream was seen.
        compute: Seconds of computing since the event before.
        score: Log-probability of all that is final; see ``mmsign.decoding.Hypothesis``.
    """

    final: tuple[TimedGloss, ...]
    partial: tuple[TimedGloss, ...]
    seconds: float
    compute: float
    score: float = 0.0


@dataclass(eq=False)
class LiveRecognizer:
    """A stream, frame by frame, to glosses; memory does not grow with its length.

    Keypoints that seem to be no pixels, or no signer's, are warned of once a stream.

    Args:
        network: From ``open_network``.
        window, hop: W and H in frames; None takes them from the clips that the
            network was trained on, see ``window_for_streams``.
        fps: Frames per second of the stream, for frames that come without times;
            None takes that of training.
        beam_width: None takes the config's.
        estimator: Finds keypoints for frames that come without; it is called with a
            list of one frame.
        pauses: Whether to take the stream apart where the hands rest, if the
            network's training clips begin and end so, and keypoints come.
        cut_probability, max_steps: When glosses of an utterance that goes on become
            final; see ``IncrementalCTC``.

    Raises:
        ConfigError: If window and hop do not fit the network.
    """

    network: Network
    window: int | None = None
    hop: int | None = None
    fps: float | None = None
    beam_width: int | None = None
    estimator: Estimator | None = None
    pauses: bool = True
    cut_probability: float = 0.9
    max_steps: int = 64

    def __post_init__(self) -> None:
        rate = self.network.fps or DEFAULT_FPS
        self.fps = checked_fps(self.fps) or rate
        self.rate = rate / self.network.step
        self.statistics = self.network.statistics if self.pauses else None
        window, hop = window_for_streams(self.network)
        window = window if self.window is None else self.window
        hop = hop if self.hop is None else self.hop
        self.windows = WindowedNetwork(self.network, window, hop, early=True)
        self.search = self.network.search(self.beam_width)
        self._begin()

    def _begin(self) -> None:
        self._resampler = FrameResampler(self.rate)
        network, limits = self.network, (self.cut_probability, self.max_steps)
        settings = network.model.vocab, network.time_stride, self._resampler.seconds
        own = network.calibrations.get(AVERAGE, Calibration()).glosses
        decoder = IncrementalCTC(self.search, *settings, *limits, own)
        self.reader = StreamReader(self.windows, self.statistics, {AVERAGE: decoder})
        self._given = 0
        self._first: list[StreamFrame] = []
        self._seconds = self._compute = 0.0

    @property
    def latency(self) -> float:
        """Seconds of video after which a frame's glosses are final, computing not
        counted. Where the stream is taken apart that is at the end of the utterance,
        and W after its beginning at the latest; else C + H (W for the first frames),
        and the decoder waits on for a step at which nothing is signed."""
        waits = self.windows.delay if self.reader.rest is None else self.windows.window
        return waits / self.rate

    def feed(
        self,
        frame: np.ndarray | None,
        keypoints: np.ndarray | None = None,
        seconds: float | None = None,
        frame_size: tuple[int, int] | None = None,
    ) -> LiveEvent | None:
        """Take the next frame.

        Args:
            frame: (height, width, 3) uint8 BGR. May be None for a network that
                looks at keypoints alone.
            keypoints: (133, 3) or (79, 3); None asks the estimator, if the network
                looks at them.
            seconds: When it was seen; None counts at ``fps``.
            frame_size: (width, height), needed without a frame.

        Returns:
            An event after every H frames of an utterance, and at its end.

        Raises:
            ClipError: If frame or keypoints are missing or misshapen.
            ConfigError: If times do not rise.
        """
        began = time.perf_counter()
        item = self._checked(frame, keypoints, frame_size)
        self._seconds = self._given / self.fps if seconds is None else seconds
        self._given += 1
        return self._look(began, self._resampler.step(self._seconds, item))

    def finish(self) -> LiveEvent:
        """The end of the stream: everything that waits becomes final.

        The recognizer is then ready for another stream.
        """
        event = self._look(time.perf_counter(), self._resampler.end(), is_last=True)
        if len(self._first) < self.windows.window:
            self._check_first()
        self._begin()
        return event

    def run(
        self,
        frames: Iterable[np.ndarray],
        keypoints: Iterable[np.ndarray] | None = None,
    ) -> Iterator[LiveEvent]:
        """Feed everything; the last event is the end's.

        Raises:
            ClipError: As ``feed``; or there are fewer keypoints than frames.
        """
        poses = repeat(None) if keypoints is None else iter(keypoints)
        for frame in frames:
            pose = next(poses, _NOT_THERE)
            if pose is _NOT_THERE:
                raise ClipError(f'frame {self._given} of the stream has no keypoints')
            event = self.feed(frame, pose)
            if event is not None:
                yield event
        yield self.finish()

    def _checked(self, frame, keypoints, frame_size) -> StreamFrame:
        where = f'frame {self._given} of the stream'
        pipeline = self.network.pipeline
        if frame is not None:
            ArrayFrames(frame[None], where)
        if frame is None and (pipeline.needs_frames or frame_size is None):
            raise ClipError(f'{where}: the network needs the frame, or its frame_size')
        # A network of video alone does not look at them, but they tell the pauses.
        if not pipeline.needs_keypoints and self.reader.rest is None:
            keypoints = None
        elif keypoints is None and self.estimator is not None and frame is not None:
            keypoints = self.estimator([frame])[0]
        if keypoints is None and pipeline.needs_keypoints:
            raise ClipError(f'{where} needs keypoints: feed them, or give an estimator')
        if keypoints is not None:
            points = np.asarray(keypoints, np.float32)[None]
            fed = points, 'the keypoints fed', where, pipeline.face
            keypoints = selected(*fed)[0]
        size = frame_size if frame is None else frame.shape[1::-1]
        item = StreamFrame(frame, keypoints, tuple(map(int, size)))
        if keypoints is not None and len(self._first) < self.windows.window:
            self._first.append(item._replace(image=None))
            if len(self._first) == self.windows.window:
                self._check_first()
        return item

    def _check_first(self) -> None:
        if self._first:
            points = np.stack([item.keypoints for item in self._first])
            odd = misplaced(points, self._first[0].size), unusual_posture(points)
            for notice in filter(None, odd):
                warn(f'keypoints of the stream: {notice}')

    def _look(
        self, began: float, frames: Iterable[StreamFrame], is_last: bool = False
    ) -> LiveEvent | None:
        """Frames at the rate of training to the reader; what it says."""
        news = list(map(self.reader.step, frames))
        if is_last:
            news.append(self.reader.end())
        news = [glosses[AVERAGE] for glosses in news if glosses is not None]
        partial = self.reader.preview(AVERAGE) if news else []
        self._compute += time.perf_counter() - began
        if not news and not is_last:
            return None
        compute, self._compute = self._compute, 0.0
        final, score = sum(news, []), self.reader.decoders[AVERAGE].score
        return LiveEvent(tuple(final), tuple(partial), self._seconds, compute, score)


class FrameResampler:
    """Repeat or drop the items of one stream so that they come at a steady rate.

    The same rule as ``mmsign.datasets.io.frame_times.resample``, one frame at a time:
    each tick takes the nearest frame, of two equally near ones the earlier. So a frame
    is handed on when the next one has come.

    Args:
        rate: Ticks per second.

    Raises:
        ConfigError: If there is no such rate.
    """

    def __init__(self, rate: float) -> None:
        self.rate = checked_fps(rate, 'rate')
        self._held: tuple[float, Any] | None = None
        # Of each piece without a pause its first tick, and its time.
        self._starts: list[tuple[int, float]] = []
        self._ticks, self._gap = 0, 0.0

    def seconds(self, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When ticks (n,) begin and end, in seconds from the first item, (n,) each."""
        firsts, times = map(np.array, zip(*self._starts))
        piece = np.searchsorted(firsts, ticks, side='right') - 1
        begin = times[piece] - times[0] + (ticks - firsts[piece]) / self.rate
        return begin, begin + 1 / self.rate

    def step(self, time: float, item: Any) -> Iterator[Any]:
        """Take an item.

        Args:
            time: In seconds, later than the one before.
            item: Anything.

        Yields:
            The item before, as often as there are ticks nearest to it.

        Raises:
            ValueError: If time does not rise.
        """
        before, held = self._held or (-np.inf, None)
        if not time > before:
            order = f'{time:.3f} s after {before:.3f} s'
            raise ConfigError(f'times of frames must rise: {order}')
        self._held = time, item
        if not self._starts:
            self._starts = [(0, time)]
        elif time - before > longest_still(self._gap):  # a pause
            yield from self._rest(before, held)
            self._starts.append((self._ticks, time))
        else:
            self._gap = time - before
            first, start = self._starts[-1]
            while start + (self._ticks - first) / self.rate <= (before + time) / 2:
                self._ticks += 1
                yield held

    def end(self) -> Iterator[Any]:
        """The last item, shown as long as the one before it."""
        if self._held is not None:
            yield from self._rest(*self._held)

    def _rest(self, time: float, held: Any) -> Iterator[Any]:
        """The held item until the end of its piece."""
        first, start = self._starts[-1]
        end = time - start + (self._gap or 1 / self.rate)
        stop = first + max(1, round(end * self.rate))
        while self._ticks < stop:
            self._ticks += 1
            yield held
