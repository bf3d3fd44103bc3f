"""Streams of any length through a network that takes clips of some length.

Symbols: W frames of a window, H frames between the beginnings of two windows (the
hop), C = (W − H)/2 frames of context on either side, s frames per output step.

Windows overlap, and of each only the middle is used, where the network has seen C
frames before and after: window k covers the frames kH … kH + W and speaks for
kH + C … kH + C + H; the first also for what comes before, the last for what comes
after. A frame is thus spoken for at most C + H frames after it was seen.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmsign.errors import ClipError, ConfigError

from .clip_keypoints import PERSON_SHARE, person_share
from .clip_statistics import ClipStatistics
from .networks import Network
from .posteriors import log_probs_of
from .preparation import Pipeline, PreparedClip, fit_heatmaps

# Log-probability of everything but the blank where nobody is to be seen.
_NOTHING = -30.0


@dataclass(frozen=True)
class Stitched:
    """What a window added.

    Attributes:
        log_probs: Per output (n, V): the next n steps, which will not change.
        preview: Per output (m, V): the steps after these as far as the window
            reaches; they will be replaced.
    """

    log_probs: dict[str, Tensor]
    preview: dict[str, Tensor]


class WindowedNetwork:
    """Frames in, one after the other; log-probabilities out.

    Holds at most W + H frames, cropped and resized.

    Args:
        network: The network.
        pipeline: Its test pipeline.
        window: W, a multiple of s, at most what the pipeline takes at once.
        hop: H, such that C is a multiple of s too.
        early: Whether to look every H frames before the first window is full, too:
            nothing is spoken for by that, but there is something to show.

    Raises:
        ValueError: If window and hop do not fit the pipeline.
    """

    def __init__(
        self,
        network: Network,
        pipeline: Pipeline,
        window: int,
        hop: int,
        early: bool = False,
    ) -> None:
        # Frames per output step.
        self.step = network.recognizer.output_stride
        stride = self.stride = math.lcm(pipeline.stride, self.step)
        if not 0 < hop <= window <= pipeline.max_length or (
            window % stride or (window - hop) % (2 * stride)
        ):
            raise ConfigError(
                f'window={window} and hop={hop} do not fit: both must be multiples of '
                f'{stride}, their difference one of {2 * stride}, and the window at '
                f'most {pipeline.max_length} frames'
            )
        self.network = network
        self.pipeline = pipeline
        self.window = window
        self.hop = hop
        self.context = (window - hop) // 2
        self.early = early
        self.restart()

    def restart(self) -> None:
        """Forget everything; the next frame is the first of another stream."""
        self._record: dict | None = None
        self._frames: deque = deque()
        self._first = 0  # number of the oldest frame held
        self._count = 0  # frames seen
        self._next = 0  # where the next window begins
        self._spoken = 0  # frames spoken for

    @property
    def count(self) -> int:
        """Frames seen since the beginning of the stream."""
        return self._count

    @property
    def delay(self) -> int:
        """C + H: frames that a step waits at most until it is spoken for."""
        return self.context + self.hop

    def push(
        self,
        frame: np.ndarray | None,
        keypoints: np.ndarray | None,
        frame_size: tuple[int, int] | None = None,
    ) -> Stitched | None:
        """Take one frame.

        Args:
            frame: (height, width, 3) uint8 BGR; None if the network looks at
                keypoints alone.
            keypoints: (79, 3) in pixels of the frame, or None.
            frame_size: (width, height), needed without a frame.

        Returns:
            What a window added, if one is complete.

        Raises:
            ClipError: If the frame has another size than the first.
        """
        if frame is not None:
            frame_size = frame.shape[1::-1]
        frame = frame if self.pipeline.needs_frames else None
        keypoints = keypoints if self.pipeline.needs_keypoints else None
        if self._record is None:
            width, height = map(int, frame_size)
            self._record = dict(
                clip_id='stream',
                signer='',
                glosses=[],
                text=None,
                frames='stream',
                frame_size=(width, height),
                crop_box=(0.0, 0.0, float(width), float(height)),
            )
        if tuple(frame_size) != self._record['frame_size']:
            raise ClipError(
                f'frame {self._count} of the stream has {frame_size} pixels, the '
                f'first had {self._record["frame_size"]}'
            )
        part = self.pipeline.look(self._record, None if frame is None else frame[None])
        picture = part['frames'][0] if frame is not None else None
        self._crop_box = part['crop_box']
        self._frames.append((picture, keypoints))
        self._count += 1
        if self._count < self._next + self.window:
            if self.early and self._count < self.window and not self._count % self.hop:
                return self._speak(0, self._count, 0)
            return None
        start, end = self._next, self._next + self.window
        until = start + self.context + self.hop
        stitched = self._speak(start, end, until)
        self._next += self.hop
        # The window before last is what the end of the stream may need again.
        self._forget(start)
        return stitched

    def finish(self) -> Stitched | None:
        """The end of the stream: speak for the rest and begin anew.

        Returns:
            The last steps; None if no frame came.
        """
        if not self._count:
            return None
        stride = self.stride
        while self._count < stride:  # as SampleClip does
            self._frames.append(self._frames[-1])
            self._count += 1
        end = self._count - self._count % stride
        stitched = None
        if end > self._spoken:
            start = max(0, end - self.window)
            stitched = self._speak(start, end, end)
        self.restart()
        return stitched

    def _forget(self, before: int) -> None:
        while self._first < before:
            self._frames.popleft()
            self._first += 1

    def _speak(self, start: int, end: int, until: int) -> Stitched:
        """Run the window start…end; use it from what is spoken for up to until."""
        log_probs = self._run(start, end)
        first = (self._spoken - start) // self.step
        last = (until - start) // self.step
        self._spoken = until
        return Stitched(
            {name: x[first:last] for name, x in log_probs.items()},
            {name: x[last:] for name, x in log_probs.items()},
        )

    def _run(self, start: int, end: int) -> dict[str, Tensor]:
        held = [self._frames[i - self._first] for i in range(start, end)]
        results = dict(
            self._record,
            num_frames=len(held),
            frame_indices=np.arange(len(held)),
            crop_box=self._crop_box,
        )
        nobody = False
        if held[0][0] is not None:
            results['frames'] = np.stack([picture for picture, _ in held])
        if held[0][1] is not None:
            results['keypoints'] = np.stack([pose for _, pose in held])
            nobody = person_share(results['keypoints']) < PERSON_SHARE
        inputs, sample = self.pipeline.pack(results)
        fit_heatmaps(inputs, sample, self.network.frame_size)
        clip = PreparedClip(inputs, sample, np.zeros(0), 0.0)
        batch, _ = log_probs_of(self.network, [clip])
        log_probs = {name: x[0] for name, x in batch.items()}
        if nobody:
            blank = self.network.model.vocab.blank_index
            nothing = torch.full_like(log_probs['average'], _NOTHING)
            nothing[:, blank] = 0.0
            log_probs = dict.fromkeys(log_probs, nothing)
        return log_probs


def live_window(
    pipeline: Pipeline, step: int, habits: ClipStatistics | None
) -> tuple[int, int]:
    """Window and hop for a stream, as the network was trained.

    Args:
        pipeline: Of the network.
        step: Frames per output step.
        habits: Of its training clips; None takes about 64 and 16 frames.

    Returns:
        As long as the longest clip if there are pauses to wait for, so that what is
        between two is read at once; else as the middle one, since nothing is read
        for good before its context has been seen. The hop is about a quarter.
    """
    unit = 4 * math.lcm(pipeline.stride, step)
    if habits is None:
        length = 64
    else:
        length = habits.median if habits.rest is None else habits.longest
    longest = pipeline.max_length - pipeline.max_length % unit
    window = max(unit, min(-(-length // unit) * unit, longest))
    # Such that the context on either side is a whole number of steps.
    return window, -(-window // (2 * unit)) * (unit // 2)


def window_for(pipeline: Pipeline) -> tuple[int, int]:
    """Window and hop for clips that are too long to be read at once."""
    unit = 4 * pipeline.stride
    window = max(unit, pipeline.max_length - pipeline.max_length % unit)
    return window, window // 2
