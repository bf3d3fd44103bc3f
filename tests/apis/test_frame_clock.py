from __future__ import annotations

import numpy as np
import pytest

from mmsign.apis.frame_clock import FrameClock
from mmsign.datasets.io.frame_times import resample


def clocked(times, rate) -> list[int]:
    clock = FrameClock(rate)
    found = []
    for index, time in enumerate(times):
        found += clock.push(float(time), index)
    return found + list(clock.finish())


@pytest.mark.parametrize('fps', [8.0, 23.976, 29.97, 50.0])
def test_one_by_one_as_all_at_once(fps):
    times = np.arange(57) / fps
    assert clocked(times, 25.0) == resample(times, 25.0)[0].tolist()


def test_uneven_times():
    gaps = np.random.default_rng(0).uniform(0.01, 0.1, 80)
    gaps[-1] = np.median(gaps)  # how long the last frame is shown
    times = np.cumsum(gaps)
    found = clocked(times, 25.0)
    expected = resample(times, 25.0)[0].tolist()
    assert found[: len(expected) - 1] == expected[:-1]
    assert abs(len(found) - len(expected)) <= 1


@pytest.mark.parametrize('fps', [20.0, 50.0])
def test_a_pause_makes_no_frames(fps):
    times = 7 + np.arange(40) / fps
    times[16:] += 3600
    assert clocked(times, 25.0) == resample(times, 25.0)[0].tolist()
    clock = FrameClock(25.0)
    count = sum(len(list(clock.push(float(time), time))) for time in times)
    starts, ends = clock.seconds(np.arange(count))
    np.testing.assert_allclose(starts, resample(times, 25.0)[1][:count] - 7)
    np.testing.assert_allclose(ends - starts, 0.04)


def test_the_right_rate_is_left_alone():
    assert clocked(np.arange(40) / 25, 25.0) == list(range(40))
    assert clocked([3.0], 25.0) == [0]
    assert clocked([], 25.0) == []


def test_times_must_rise():
    clock = FrameClock(25.0)
    list(clock.push(1.0, 'a'))
    with pytest.raises(ValueError, match='times must rise'):
        list(clock.push(1.0, 'b'))
    with pytest.raises(ValueError, match='rate'):
        FrameClock(0.0)
