"""From the frames of a source to frames at the rate of training.

Symbols: N frames of the source at times t (seconds), M frames at the rate r of
training.
"""

from __future__ import annotations

import numpy as np

# Rates that differ by less are taken as equal: 25 and 24.98 frames/s are one rate
# written twice, and resampling would repeat a frame now and then for nothing.
SAME_RATE = 0.01


def frame_duration(times: np.ndarray) -> float:
    """Median seconds between frames; 0 for fewer than two."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def is_steady(times: np.ndarray) -> bool:
    """Whether no two frames are further apart, or closer, than by half a frame."""
    step = frame_duration(times)
    gaps = np.diff(times)
    return bool(np.all(np.abs(gaps - step) < 0.5 * step)) if step else True


def resample(times: np.ndarray, rate: float) -> np.ndarray | None:
    """Which source frame is shown at each tick of the training rate.

    Tick k is at t₀ + k/r and takes the nearest source frame, of two equally near
    ones the earlier. The clip keeps its duration.

    Args:
        times: (N,) rising.
        rate: r, frames per second.

    Returns:
        (M,) int64 indices into the source, not falling; None if the source has
        the rate already and nothing is to be done.

    Examples:
        >>> resample(np.arange(6) / 50, rate=25)  # every second frame
        array([0, 2, 4])
    """
    step = frame_duration(times)
    if not step or (is_steady(times) and abs(step * rate - 1) < SAME_RATE):
        return None
    duration = times[-1] - times[0] + step
    ticks = times[0] + np.arange(max(1, round(duration * rate))) / rate
    middles = (times[1:] + times[:-1]) / 2
    return np.searchsorted(middles, ticks, side='left').astype(np.int64)
