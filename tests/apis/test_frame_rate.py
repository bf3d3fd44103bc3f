from __future__ import annotations

import numpy as np
import pytest

from mmsign.apis.frame_rate import frame_duration, is_steady, resample


@pytest.mark.parametrize('rate', [25.0, 25.2, 24.8])
def test_the_same_rate_is_left_alone(rate):
    assert resample(np.arange(50) / 25, rate) is None


def test_every_second_frame_of_a_double_rate():
    indices = resample(np.arange(20) / 50, 25.0)
    assert indices.tolist() == list(range(0, 20, 2))


def test_every_frame_twice_of_half_the_rate():
    # Ticks halfway between two frames take the earlier; the clip lasts 4/10 s.
    indices = resample(np.arange(4) / 10, 20.0)
    assert indices.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_uneven_times_at_the_right_average_rate_are_evened_out():
    times = np.array([0.0, 0.04, 0.08, 0.24, 0.28, 0.32])
    assert not is_steady(times) and frame_duration(times) == pytest.approx(0.04)
    assert resample(times, 25.0).tolist() == [0, 1, 2, 2, 2, 3, 3, 4, 5]


def test_one_frame_has_no_rate():
    assert frame_duration(np.zeros(1)) == 0 and resample(np.zeros(1), 25.0) is None


def test_the_duration_is_kept():
    rng = np.random.default_rng(0)
    for fps in (12.0, 23.976, 29.97, 60.0):
        times = np.arange(rng.integers(2, 200)) / fps
        indices = resample(times, 25.0)
        assert abs(len(indices) / 25 - len(times) / fps) <= 0.5 / 25 + 1e-9
        assert np.all(np.diff(indices) >= 0) and indices[0] == 0
        nearest = np.abs(times[:, None] - np.arange(len(indices)) / 25).argmin(0)
        assert np.all(np.abs(times[nearest] - times[indices]) < 1 / fps + 1e-9)
