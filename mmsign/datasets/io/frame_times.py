"""When the frames of a clip are shown, and which of them are seen at another rate.

Symbols: N frames of the source at times t (seconds), M frames at the rate r of
training.
"""

import math
from bisect import bisect_right

import numpy as np

from mmsign.errors import ConfigError

DEFAULT_FPS = 25.0
"""Rate of frames without times when nobody says another."""

# Rates that differ by less are taken as equal: 25 and 24.98 frames/s are one rate
# written twice, and resampling would repeat a frame now and then for nothing.
_SAME_RATE = 0.01
_SLOWEST, _FASTEST = 1.0, 500.0
# Two frames are at least this far apart; a time beyond the other is none.
_SHORTEST, _LONGEST = 1e-4, 1e8
# Seconds after which a frame counts as the last before a pause: never less, never more.
_PAUSE, _LONGEST_STILL = 2.0, 30.0
# So many rising times in a row are a clock that started anew, not a stray one.
_ANEW = 5


def checked_fps(fps: float | None, name: str = 'fps') -> float | None:
    """A rate that somebody states; None if nobody does.

    Raises:
        ConfigError: Naming it, if it is not from 0.1 to 1000 frames a second.

    Examples:
        >>> checked_fps(25)
        25.0
    """
    if fps is not None and not 0.1 <= fps <= 1000:
        raise ConfigError(f'{name} must be 0.1 to 1000 frames/s or left out, not {fps}')
    return fps and float(fps)


def nominal_or(default: float, fps: float) -> float:
    """A container's nominal rate if it can be meant; a browser's 1000 cannot."""
    return fps if _SLOWEST <= fps <= _FASTEST else default


def repair_times(
    times: np.ndarray, nominal_rate: float = 0.0
) -> tuple[np.ndarray, list[str]]:
    """Times that rise, of times as a container has them.

    As few as possible are changed: those that are missing (not finite), repeated or
    out of order get times between their neighbours' in equal steps, or at the ends
    the usual step from the last one. A clock that starts anew goes on from where it
    was. Gaps are left as they are (``resample`` cuts there).

    Args:
        times: (N,) seconds.
        nominal_rate: Frames per second that the container announces; only asked if
            no two times are sound, and if it can be a rate at all.

    Returns:
        (N,) float64, finite, rising; and what was unusual, in words.

    Examples:
        >>> repair_times(np.array([0, 0.5, 0.5, 1.5]))[0].tolist()
        [0.0, 0.5, 1.0, 1.5]
    """
    given = np.asarray(times, np.float64).reshape(-1)
    times = np.where(np.abs(given) <= _LONGEST, given, np.nan)
    step = _usual_step(times)
    notices = []
    if step is None:
        step = 1 / nominal_or(DEFAULT_FPS, nominal_rate)
        if len(times) > 1:
            text = f'the frames have no times: {1 / step:.4g} frames/s are assumed'
            notices.append(text)
    times, anew = _joined(times, step)
    sound = _rising(times)
    lost = np.setdiff1d(np.arange(len(times)), sound)
    if len(lost):
        times = _filled(times, sound, step)
        if not notices:
            notices.append(
                f'{len(lost)} of {len(times)} frames, first frame {lost[0]}, have no '
                'usable time (repeated, falling or missing): the frames around tell'
            )
    if anew:
        text = f'the clock starts anew at frame {anew[0]}: taken as one after the other'
        notices.append(text)
    gaps = pieces(times)[1:]
    if gaps:
        longest = max(times[k] - times[k - 1] for k in gaps)
        notices.append(
            f'gaps in the times: {len(gaps)}, the longest of {longest:.4g} s, the '
            f'first before frame {gaps[0]}: taken as a cut'
        )
    return times, notices


def frame_duration(times: np.ndarray) -> float:
    """Median seconds between frames; 0 for fewer than two."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def longest_still(step: float) -> float:
    """Seconds that a frame may stay, of frames ``step`` seconds apart: after that the
    recorder was paused, and what follows is another piece."""
    return max(_PAUSE, min(10 * step, _LONGEST_STILL))


def pieces(times: np.ndarray) -> list[int]:
    """The frames at which a piece begins; a pause of the recorder ends one."""
    limit = longest_still(frame_duration(times))
    return [0, *(np.flatnonzero(np.diff(times) > limit) + 1).tolist()]


def is_steady(times: np.ndarray) -> bool:
    """Whether no two frames of a piece are further apart, or closer, than by half."""
    step = frame_duration(times)
    gaps = np.delete(np.diff(times), np.array(pieces(times)[1:], int) - 1)
    return bool(np.all(np.abs(gaps - step) < 0.5 * step)) if step else True


def resample(times: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Which source frame is shown at each tick of the training rate.

    Tick k is at t₀ + k/r and takes the nearest source frame, of two equally near
    ones the earlier. Each piece keeps its duration (see ``pieces``); nothing is shown
    between them.

    Args:
        times: (N,) rising.
        rate: r, frames per second.

    Returns:
        (M,) int64 indices into the source, not falling, and (M,) the ticks in
        seconds; None if the source has the rate already and nothing is to be done.

    Examples:
        >>> resample(np.arange(4) / 50, 25.0)[0].tolist()
        [0, 2]
    """
    step = frame_duration(times)
    if not step or (is_steady(times) and abs(step * rate - 1) < _SAME_RATE):
        return None
    step = min(step, longest_still(step))
    starts = pieces(times)
    indices, ticks = [], []
    for start, stop in zip(starts, [*starts[1:], len(times)]):
        piece = times[start:stop]
        count = max(1, round((piece[-1] - piece[0] + step) * rate))
        ticks.append(piece[0] + np.arange(count) / rate)
        middles = (piece[1:] + piece[:-1]) / 2
        indices.append(start + np.searchsorted(middles, ticks[-1], side='left'))
    return np.concatenate(indices).astype(np.int64), np.concatenate(ticks)


def _usual_step(times: np.ndarray) -> float | None:
    """Median of the steps from one frame to the next that rise, pauses left out."""
    steps = np.diff(times)
    steps = steps[(steps >= _SHORTEST) & (steps <= _LONGEST_STILL)]  # not true of nan
    return float(np.median(steps)) if len(steps) else None


def _joined(times: np.ndarray, step: float) -> tuple[np.ndarray, list[int]]:
    """Times after a clock that started anew, one after the other; where it did."""
    times = times.copy()
    anew = []
    for k in np.flatnonzero(np.diff(times) < 0) + 1:
        before, after = times[max(0, k - _ANEW) : k], times[k : k + _ANEW]
        rising = len(after) == _ANEW and np.all(np.diff(after) >= _SHORTEST)
        if rising and np.nanmedian(before) > np.median(after):
            times[k:] += before[-1] + step - times[k]
            anew.append(int(k))
    return times, anew


def _rising(times: np.ndarray) -> np.ndarray:
    """Indices of the longest part in which times rise; of equals, the first stay."""
    # Half of it: what was repaired once stays, whatever was rounded.
    if np.all(np.diff(times) > _SHORTEST / 2) and np.isfinite(times[:1]).all():
        return np.arange(len(times))
    # Frames i < j are apart by (j - i) shortest steps if this does not fall.
    level = times - _SHORTEST * np.arange(len(times))
    tails: list[float] = []  # of the longest runs so far, seen from the end
    ends: list[int] = []
    before = np.full(len(times), -1)
    for k in reversed(range(len(times))):
        if not math.isfinite(level[k]):
            continue
        length = bisect_right(tails, -level[k])
        before[k] = ends[length - 1] if length else -1
        tails[length : length + 1] = [-level[k]]
        ends[length : length + 1] = [k]
    kept, k = [], ends[-1] if ends else -1
    while k >= 0:
        kept.append(k)
        k = before[k]
    return np.array(kept, int)


def _filled(times: np.ndarray, sound: np.ndarray, step: float) -> np.ndarray:
    """Times between the sound ones, and before and after them."""
    every = np.arange(len(times))
    if not len(sound):
        return every * step
    outside = every - every.clip(sound[0], sound[-1])
    return np.interp(every, sound, times[sound]) + outside * step
