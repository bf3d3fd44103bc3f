from __future__ import annotations

import numpy as np
import pytest

from mmsign.apis.frame_resampler import FrameResampler
from mmsign.datasets.io.frame_times import resample


def resampled(times, rate) -> list[int]:
    resampler = FrameResampler(rate)
    found = []
    for index, time in enumerate(times):
        found += resampler.step(float(time), index)
    return found + list(resampler.end())


@pytest.mark.parametrize('fps', [8.0, 23.976, 29.97, 50.0])
def test_one_by_one_as_all_at_once(fps):
    times = np.arange(57) / fps
    assert resampled(times, 25.0) == resample(times, 25.0)[0].tolist()


def test_uneven_times():
    gaps = np.random.default_rng(0).uniform(0.01, 0.1, 80)
    gaps[-1] = np.median(gaps)  # how long the last frame is shown
    times = np.cumsum(gaps)
    found = resampled(times, 25.0)
    expected = resample(times, 25.0)[0].tolist()
    assert found[: len(expected) - 1] == expected[:-1]
    assert abs(len(found) - len(expected)) <= 1


@pytest.mark.parametrize('fps', [20.0, 50.0])
def test_a_pause_makes_no_frames(fps):
    times = 7 + np.arange(40) / fps
    times[16:] += 3600
    assert resampled(times, 25.0) == resample(times, 25.0)[0].tolist()
    resampler = FrameResampler(25.0)
    count = sum(len(list(resampler.step(float(time), time))) for time in times)
    starts, ends = resampler.seconds(np.arange(count))
    np.testing.assert_allclose(starts, resample(times, 25.0)[1][:count] - 7)
    np.testing.assert_allclose(ends - starts, 0.04)


def test_the_right_rate_is_left_alone():
    assert resampled(np.arange(40) / 25, 25.0) == list(range(40))
    assert resampled([3.0], 25.0) == [0]
    assert resampled([], 25.0) == []


def test_times_must_rise():
    resampler = FrameResampler(25.0)
    list(resampler.step(1.0, 'a'))
    with pytest.raises(ValueError, match='times must rise'):
        list(resampler.step(1.0, 'b'))
    with pytest.raises(ValueError, match='rate'):
        FrameResampler(0.0)
